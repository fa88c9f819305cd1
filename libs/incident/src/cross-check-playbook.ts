import type { ClauseFile, PlaybookFile } from './playbook-schema.ts';
import { parseReference, REFERENCE_FORM, referencesIn } from './reference.ts';

interface CrossProblem {
  readonly key: string;
  readonly received: unknown;
  readonly allowed: string;
}

/** What the form alone cannot say: that parts of a playbook fit each other. */
export function crossCheck(file: PlaybookFile): readonly CrossProblem[] {
  const clauses = Object.entries(file.match);
  const names = clauses.map(([name]) => name);
  return [
    ...clauses.flatMap(([name, clause], index) =>
      checkClause(`match.${name}`, clause, clauses.slice(0, index)),
    ),
    ...checkAnyFinding(clauses),
    ...checkName('path.from', file.path?.from, names),
    ...(['relieve', 'cure'] as const).flatMap((role) => checkSteps(file, role, names)),
    ...checkTemplates(file, names),
  ];
}

function checkClause(
  key: string,
  clause: ClauseFile,
  earlier: readonly (readonly [string, ClauseFile])[],
): readonly CrossProblem[] {
  const problems: CrossProblem[] = [];
  const bound = (['finding', 'change', 'healthy'] as const).filter(
    (kind) => clause[kind] !== undefined,
  );
  if (bound.length !== 1)
    problems.push({ key, received: clause, allowed: 'exactly one of finding, change, healthy' });
  const names = earlier.map(([name]) => name);
  problems.push(...checkName(`${key}.reachedFrom`, clause.reachedFrom, names, 'an earlier clause'));
  const timed = earlier.filter(([, { healthy }]) => healthy === undefined).map(([name]) => name);
  problems.push(
    ...checkName(`${key}.before`, clause.before, timed, 'an earlier clause with a moment'),
  );
  if (clause.before !== undefined && clause.healthy !== undefined)
    problems.push({
      key: `${key}.before`,
      received: clause.before,
      allowed: 'nothing: a healthy thing has no moment',
    });
  if (clause.within !== undefined && clause.before === undefined)
    problems.push({ key: `${key}.within`, received: clause.within, allowed: 'only with before' });
  if (clause.severity !== undefined && clause.finding === undefined)
    problems.push({
      key: `${key}.severity`,
      received: clause.severity,
      allowed: 'only with finding',
    });
  if (clause.measured !== undefined && clause.change !== undefined)
    problems.push({
      key: `${key}.measured`,
      received: clause.measured,
      allowed: 'only with finding or healthy',
    });
  return problems;
}

function checkAnyFinding(
  clauses: readonly (readonly [string, ClauseFile])[],
): readonly CrossProblem[] {
  if (clauses.some(([, clause]) => clause.finding !== undefined)) return [];
  return [
    {
      key: 'match',
      received: clauses.map(([name]) => name),
      allowed: 'at least one clause with finding: without anything bad there is no cause',
    },
  ];
}

function checkSteps(
  file: PlaybookFile,
  role: 'relieve' | 'cure',
  names: readonly string[],
): readonly CrossProblem[] {
  return (file[role] ?? []).flatMap((step, index) => [
    ...checkName(`${role}.${index}.on`, step.on, names),
    ...Object.entries(step.with ?? {}).flatMap(([parameter, value]) =>
      typeof value === 'string'
        ? checkReference(`${role}.${index}.with.${parameter}`, value, names)
        : [],
    ),
  ]);
}

function checkTemplates(file: PlaybookFile, names: readonly string[]): readonly CrossProblem[] {
  const templates: readonly (readonly [string, string | undefined])[] = [
    ['title', file.title],
    ['says', file.says],
    ...(file.unproven ?? []).map((text, index) => [`unproven.${index}`, text] as const),
  ];
  return templates.flatMap(([key, template]) =>
    referencesIn(template ?? '').flatMap((reference) => checkReference(key, reference, names)),
  );
}

function checkReference(
  key: string,
  text: string,
  names: readonly string[],
): readonly CrossProblem[] {
  const reference = parseReference(text);
  if (reference === undefined) return [{ key, received: text, allowed: REFERENCE_FORM }];
  return checkName(key, reference.clause, names);
}

function checkName(
  key: string,
  name: string | undefined,
  names: readonly string[],
  what = 'a clause of match',
): readonly CrossProblem[] {
  if (name === undefined || names.includes(name)) return [];
  const allowed =
    names.length === 0 ? `nothing here (${what}, there is none)` : `${what}: ${names.join(', ')}`;
  return [{ key, received: name, allowed }];
}
