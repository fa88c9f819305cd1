import { answerFromJson, type Answer, type BlindAnswer, type CheckLine } from '@starr/incident';
import type { Services } from '@starr/lab';
import { z } from 'zod';

/** What `starr sweep --json` printed, and how it ended. */
export interface Swept {
  readonly code: number;
  readonly stderr: string;
  /** From the start of the process to its end. */
  readonly commandMs: number;
  /** From the orchestrator's start of the sweep to its answer. */
  readonly answerMs: number;
  readonly incident?: string;
  readonly traceId?: string;
  readonly answer: Answer;
}

const printedSchema = z.object({
  incident: z.string().optional(),
  traceId: z.string().optional(),
  answer: z.unknown(),
});

/** A sweep as a person asks for it; rejects when there is no answer in the documented shape. */
export async function sweepAnswer(services: Services, ...args: readonly string[]): Promise<Swept> {
  const startedMs = performance.now();
  const { code, stdout, stderr } = await services.starr('sweep', '--json', ...args);
  const commandMs = performance.now() - startedMs;
  if (code === 3) throw new Error(`starr sweep failed after ${commandMs} ms: ${stderr}`);
  const { answer: raw, incident, traceId } = printedSchema.parse(JSON.parse(stdout));
  const answer = answerFromJson(JSON.stringify(raw));
  if (answer === undefined) throw new Error(`not the documented shape: ${stdout}`);
  return {
    code,
    stderr,
    commandMs,
    answerMs: answer.endedAt.getTime() - answer.startedAt.getTime(),
    ...(incident !== undefined && { incident }),
    ...(traceId !== undefined && { traceId }),
    answer,
  };
}

/** Every sweep answers within this, whatever its patients do. */
const ANSWER_WITHIN_MS = 5000;
/** What the command itself needs to start and to end on a loaded machine. */
const COMMAND_SLACK_MS = 7000;

/** The same; rejects also when the answer came too late. */
export async function sweepInTime(services: Services, ...args: readonly string[]): Promise<Swept> {
  const swept = await sweepAnswer(services, ...args);
  const { answerMs, commandMs } = swept;
  if (answerMs > ANSWER_WITHIN_MS || commandMs > ANSWER_WITHIN_MS + COMMAND_SLACK_MS)
    throw new Error(`answered after ${answerMs} ms; the command took ${Math.round(commandMs)} ms`);
  return swept;
}

/** `db.connection-use` → its status, of the checks whose id begins with one of these; none: of all. */
export function statuses(
  { answer }: Swept,
  ...prefixes: readonly string[]
): Readonly<Record<string, CheckLine['status']>> {
  return Object.fromEntries(
    answer.checks
      .filter(({ diagnostic }) => isOf(diagnostic, prefixes))
      .map(({ diagnostic, status }) => [diagnostic, status]),
  );
}

/** Checks that saw nothing at all, of these prefixes; none: of all. */
export function blindChecks(
  { answer }: Swept,
  ...prefixes: readonly string[]
): readonly BlindAnswer[] {
  return answer.blind.filter(
    ({ diagnostic, isPartial }) => !isPartial && isOf(diagnostic, prefixes),
  );
}

function isOf(diagnostic: string, prefixes: readonly string[]): boolean {
  return prefixes.length === 0 || prefixes.some((prefix) => diagnostic.startsWith(prefix));
}
