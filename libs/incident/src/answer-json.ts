import type { Answer } from './answer.ts';

/** Members of an Answer that are moments; RFC 3339 in JSON. */
const MOMENTS: ReadonlySet<string> = new Set([
  'startedAt',
  'endedAt',
  'historySince',
  'onset',
  'at',
  'until',
]);

/** The documented JSON of an answer: moments as RFC 3339, int64 as text of digits. */
export function answerToJson(answer: Answer): string {
  return JSON.stringify(answer, (_key, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
}

/** The answer behind its JSON; for those who render what an orchestrator of the same version sent. */
export function answerFromJson(text: string): Answer {
  return JSON.parse(text, (key, value: unknown) =>
    MOMENTS.has(key) && typeof value === 'string' ? new Date(value) : value,
  ) as Answer;
}
