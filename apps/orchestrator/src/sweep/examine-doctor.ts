import {
  blindFromError,
  blindSpot,
  toDoctorError,
  type BlindSpot,
  type CheckResult,
  type Clock,
} from '@starr/kernel';
import { ATTRIBUTE, inSpan, SPAN } from '@starr/telemetry';
import type { ExpectedCheck } from '@starr/wire';
import { cureOfAbsence, type RosterMember } from '../doctors/doctor-roster.ts';
import type { DoctorAsk } from './doctor-asks.ts';

export interface ExamineOptions {
  readonly windowMs: number;
  readonly budgetMs: number;
  readonly evidenceNotBefore?: Date;
  readonly clock: Clock;
  /** Nobody waits for the sweep any more. */
  readonly signal: AbortSignal;
}

export interface ExamineSink {
  result(result: CheckResult): void;
  notice(says: string): void;
}

/** A doctor that answers just in time is still heard. */
const GRACE_MS = 250;

/** All results of one doctor. Every expected check gets exactly one: its own, or a blind one that says why there is none. Never fails. */
export async function examineDoctor(
  ask: DoctorAsk,
  options: ExamineOptions,
  sink: ExamineSink,
): Promise<void> {
  const { member } = ask;
  const attributes = { [ATTRIBUTE.doctor]: member.name };
  await inSpan(SPAN.examine(member.name), { attributes }, async () => {
    const missing = new Map(ask.expected.map((check) => [keyOf(check), check]));
    const spot = await readResults(ask, options, sink, missing);
    if (options.signal.aborted) return;
    for (const check of missing.values()) sink.result(blindResult(check, spot, options.clock));
  });
}

/** Why what is missing is missing. */
async function readResults(
  ask: DoctorAsk,
  options: ExamineOptions,
  sink: ExamineSink,
  missing: Map<string, ExpectedCheck>,
): Promise<BlindSpot> {
  const { member } = ask;
  const late = new AbortController();
  const timer = setTimeout(() => {
    late.abort();
  }, options.budgetMs + GRACE_MS);
  const { windowMs, budgetMs, evidenceNotBefore } = options;
  const request = {
    targets: ask.targets,
    diagnostics: ask.diagnostics,
    windowMs,
    budgetMs,
    ...(evidenceNotBefore && { evidenceNotBefore }),
  };
  const seen = new Set<string>();
  try {
    const signal = AbortSignal.any([options.signal, late.signal]);
    for await (const result of until(member.doctor.examine(request, signal), signal))
      accept(result, member, seen, missing, sink);
    if (late.signal.aborted) return tooLate(member, budgetMs);
    return blindSpot('unreachable', `${member.name} ended without this answer`);
  } catch (thrown) {
    return late.signal.aborted ? tooLate(member, budgetMs) : lost(member, thrown);
  } finally {
    clearTimeout(timer);
  }
}

function accept(
  result: CheckResult,
  { name, prefixes }: RosterMember,
  seen: Set<string>,
  missing: Map<string, ExpectedCheck>,
  sink: ExamineSink,
): void {
  const key = keyOf(result);
  if (!prefixes.some((prefix) => result.diagnostic.startsWith(prefix))) {
    sink.notice(
      `${name} answered ${result.diagnostic}, which its prefixes in starr.yaml do not allow; dropped`,
    );
    return;
  }
  if (seen.has(key)) {
    sink.notice(`${name} answered ${result.diagnostic} of ${result.target} twice; dropped`);
    return;
  }
  seen.add(key);
  missing.delete(key);
  sink.result(result);
}

/** Ends with the signal even when the source does not. */
async function* until<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  const gone = Promise.withResolvers<IteratorReturnResult<undefined>>();
  const leave = () => {
    gone.resolve({ done: true, value: undefined });
  };
  signal.addEventListener('abort', leave, { once: true });
  try {
    for (;;) {
      if (signal.aborted) return;
      const next = iterator.next();
      next.catch(() => undefined); // lost when the signal wins
      const result = await Promise.race([next, gone.promise]);
      if (result.done === true) return;
      yield result.value;
    }
  } finally {
    signal.removeEventListener('abort', leave);
    // Not awaited: a source that hangs would hold the sweep.
    void iterator.return?.().catch(() => undefined);
  }
}

function tooLate({ name }: RosterMember, budgetMs: number): BlindSpot {
  return blindSpot(
    'timeout',
    `${name} did not answer within the budget of ${Math.round(budgetMs)} ms`,
  );
}

/** A call that broke means that the doctor is gone, whatever gRPC calls it; what the doctor itself says stands. */
function lost(member: RosterMember, thrown: unknown): BlindSpot {
  const { name, address } = member;
  const error = toDoctorError(thrown);
  const where = address === undefined ? '' : ` at ${address}`;
  if (error.code === 'WIRE_UNAUTHENTICATED' || error.code === 'WIRE_FORBIDDEN')
    return blindSpot('denied', `${name}${where} refuses the orchestrator: ${error.rawMessage}`);
  if (error.code.startsWith('WIRE_') || error.code === 'INTERNAL')
    return blindSpot(
      'unreachable',
      `${name}${where} went away: ${error.rawMessage}`,
      cureOfAbsence(member),
    );
  return blindFromError(error);
}

function blindResult(
  { diagnostic, target }: Pick<ExpectedCheck, 'diagnostic' | 'target'>,
  spot: BlindSpot,
  clock: Clock,
): CheckResult {
  const now = clock.now();
  return {
    diagnostic,
    target,
    verdict: { measured: [], blind: [spot] },
    relations: [],
    observedFrom: now,
    observedTo: now,
    thresholds: {},
    footprint: {},
  };
}

function keyOf({ diagnostic, target }: { diagnostic: string; target: string }): string {
  return `${diagnostic} ${target}`;
}
