import type { Value } from '@starr/kernel';
import type { NextStep } from './answer.ts';
import type { Cause } from './cause.ts';
import type { CatalogIndex } from './check-playbook.ts';
import type { EvidenceItem } from './evidence.ts';
import { itemOf } from './match.ts';
import type { Step } from './playbook.ts';
import { parseReference, resolveReference } from './reference.ts';

/** What relieves and cures a cause. Only a grounded one proposes anything; remedies of absent doctors are left out. */
export function nextSteps(
  cause: Cause,
  catalog: CatalogIndex,
): readonly Omit<NextStep, 'number'>[] {
  if (cause.standing !== 'grounded') return [];
  const { playbook } = cause.match;
  return (['relieve', 'cure'] as const).flatMap((role) =>
    playbook[role].flatMap((step) => {
      const item = itemOf(cause.match.clauses, step.on);
      const remedy = catalog.remedies.get(step.remedy);
      if (item === undefined || remedy === undefined) return [];
      const { params, missing } = paramsOf(step, cause);
      return {
        role,
        remedy: step.remedy,
        title: remedy.title,
        target: item.target,
        params,
        missing,
      };
    }),
  );
}

function paramsOf(
  step: Step,
  cause: Cause,
): { readonly params: Readonly<Record<string, Value>>; readonly missing: readonly string[] } {
  const params: Record<string, Value> = {};
  const missing: string[] = [];
  for (const [name, source] of Object.entries(step.with)) {
    const value =
      source.from === 'file'
        ? source.value
        : valueAt(source.reference, (clause) => itemOf(cause.match.clauses, clause));
    if (value === undefined) missing.push(name);
    else params[name] = value;
  }
  return { params, missing };
}

function valueAt(
  text: string,
  bound: (clause: string) => EvidenceItem | undefined,
): Value | undefined {
  const reference = parseReference(text);
  const item = reference && bound(reference.clause);
  return reference && item && resolveReference(reference, item);
}
