import { parseDurationMs } from '@starr/kernel';
import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { crossCheck } from './cross-check-playbook.ts';
import { positionAt, positionsOf, type Positions } from './playbook-positions.ts';
import {
  ALLOWED_KEYS,
  playbookSchema,
  type ClauseFile,
  type PlaybookFile,
} from './playbook-schema.ts';
import type { Bound, Clause, Playbook, PlaybookProblem, Step, StepValue } from './playbook.ts';

export type ParsedPlaybook =
  | { readonly ok: true; readonly playbook: Playbook }
  /** In the order of the file. */
  | { readonly ok: false; readonly problems: readonly PlaybookProblem[] };

/**
 * Reads one playbook from YAML. Never throws. `fileName` is only repeated in problems.
 * Whether its ids exist is checkPlaybook's question.
 */
export function parsePlaybook(text: string, fileName: string): ParsedPlaybook {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const positions = positionsOf(document, lines);
  const [broken] = document.errors;
  if (broken !== undefined) {
    const { line, col } = lines.linePos(broken.pos[0]);
    const says = broken.message.split('\n')[0] ?? broken.message;
    return failed([
      { file: fileName, line, column: col, key: '', received: says, allowed: 'YAML 1.2' },
    ]);
  }
  const parsed = playbookSchema.safeParse(plainValue(document));
  const problem = (key: string, received: unknown, allowed: string, atKey = false) => ({
    file: fileName,
    ...((atKey ? positions.keys[key] : undefined) ?? positionAt(positions, key)),
    key,
    received: receivedText(received),
    allowed,
  });
  if (!parsed.success) {
    const value = plainValue(document);
    return failed(parsed.error.issues.flatMap((issue) => problemsOf(issue, value, problem)));
  }
  const crossed = crossCheck(parsed.data).map(({ key, received, allowed }) =>
    problem(key, received, allowed),
  );
  if (crossed.length > 0) return failed(crossed);
  return { ok: true, playbook: playbookFrom(parsed.data, fileName, positions) };
}

type MakeProblem = (
  key: string,
  received: unknown,
  allowed: string,
  atKey?: boolean,
) => PlaybookProblem;

function failed(problems: readonly PlaybookProblem[]): ParsedPlaybook {
  const sorted = [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
  return { ok: false, problems: sorted };
}

/** Aliases are bounded by the YAML library; a file that goes beyond reads as nothing. */
function plainValue(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS() as unknown;
  } catch {
    return null;
  }
}

function problemsOf(
  issue: z.core.$ZodIssue,
  value: unknown,
  problem: MakeProblem,
): readonly PlaybookProblem[] {
  const key = issue.path.map(String).join('.');
  const received = issue.path.reduce<unknown>(memberOf, value);
  switch (issue.code) {
    case 'unrecognized_keys': {
      const allowed = allowedKeys(key);
      return issue.keys.map((unknown) =>
        problem(key === '' ? unknown : `${key}.${unknown}`, `the key ${unknown}`, allowed, true),
      );
    }
    case 'invalid_key':
      return [
        problem(key, `the key ${String(issue.path.at(-1))}`, issue.issues[0]?.message ?? '', true),
      ];
    case 'invalid_type':
      return [
        problem(
          key,
          received,
          issue.message.startsWith('Invalid input')
            ? `a value of type ${issue.expected}`
            : issue.message,
        ),
      ];
    default:
      return [problem(key, received, issue.message)];
  }
}

function allowedKeys(key: string): string {
  const shape = key.replace(/^match\.[^.]+$/, 'match.*').replace(/\.\d+$/, '.*');
  return (ALLOWED_KEYS[shape] ?? ALLOWED_KEYS[''] ?? []).join(', ');
}

function memberOf(value: unknown, key: PropertyKey): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as Record<PropertyKey, unknown>)[key];
}

function receivedText(received: unknown): string {
  if (received === undefined) return 'nothing';
  if (typeof received === 'string' && received.startsWith('the key ')) return received;
  const text = JSON.stringify(received);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function playbookFrom(file: PlaybookFile, fileName: string, positions: Positions): Playbook {
  return {
    id: file.id,
    title: file.title,
    says: file.says ?? file.title,
    match: Object.entries(file.match).map(([name, clause]) => clauseFrom(name, clause)),
    ...(file.path !== undefined && { path: { from: file.path.from, to: listOf(file.path.to) } }),
    explains: file.explains ?? [],
    against: (file.against ?? []).map(({ finding, says, shows, when }) => ({
      diagnostic: finding,
      when: when ?? 'linked',
      ...(says !== undefined && { says }),
      ...(shows !== undefined && { shows }),
    })),
    unproven: file.unproven ?? [],
    ...(file.urgent !== undefined && {
      urgent: {
        diagnostic: file.urgent.finding,
        shows: file.urgent.shows,
        says: file.urgent.says,
        ...(file.urgent.atZero !== undefined && { atZero: file.urgent.atZero }),
      },
    }),
    relieve: (file.relieve ?? []).map(stepFrom),
    cure: (file.cure ?? []).map(stepFrom),
    avoid: file.avoid ?? [],
    reflect: file.reflect ?? [],
    origin: { file: fileName, positions: positions.values },
  };
}

function clauseFrom(name: string, file: ClauseFile): Clause {
  const binds =
    file.finding !== undefined ? 'finding' : file.change !== undefined ? 'change' : 'healthy';
  const withinMs = file.within === undefined ? undefined : parseDurationMs(file.within);
  return {
    name,
    binds,
    diagnostics: listOf(file.finding ?? file.change ?? file.healthy ?? []),
    ...(file.severity !== undefined && { severity: file.severity }),
    ...(file.about !== undefined && { about: listOf(file.about) }),
    ...(file.measured !== undefined && { measured: boundsFrom(file.measured) }),
    ...(file.reachedFrom !== undefined && { reachedFrom: file.reachedFrom }),
    ...(file.before !== undefined && { before: file.before }),
    ...(withinMs !== undefined && { withinMs }),
  };
}

function boundsFrom(
  measured: NonNullable<ClauseFile['measured']>,
): Readonly<Record<string, Bound>> {
  return Object.fromEntries(
    Object.entries(measured).map(([name, { above, below }]) => [
      name,
      { ...(above !== undefined && { above }), ...(below !== undefined && { below }) },
    ]),
  );
}

function stepFrom(file: NonNullable<PlaybookFile['cure']>[number]): Step {
  const values = Object.entries(file.with ?? {}).map(([parameter, value]): [string, StepValue] => [
    parameter,
    stepValueFrom(value),
  ]);
  return { remedy: file.remedy, on: file.on, with: Object.fromEntries(values) };
}

function stepValueFrom(value: string | number | boolean | { text: string }): StepValue {
  if (typeof value === 'string') return { from: 'evidence', reference: value };
  return { from: 'file', value: typeof value === 'object' ? value.text : value };
}

function listOf(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? [value] : value;
}
