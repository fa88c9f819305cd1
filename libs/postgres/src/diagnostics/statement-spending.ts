import type { Look, Pair } from '@starr/kernel';
import type { StatementCounters, Statements } from '../reads/statements.ts';

/** What one statement cost within the window. */
export interface Spent {
  /** database/queryid. */
  readonly key: string;
  readonly calls: number;
  readonly callsPerMinute: number;
  readonly totalMs: number;
  readonly meanMs: number;
  /** Of the time of all statements within the window, 0–1. */
  readonly share: number;
  readonly rowsPerCall: number;
  /** Mean before the window. Absent: it was not called before, or that is not known. */
  readonly meanBeforeMs?: number;
  /** It was not there before the window. */
  readonly isNew: boolean;
  /** When it was first counted; absent: not known (before pg_stat_statements 1.11). */
  readonly since?: Date;
}

export interface Spending {
  /** Most time first. Without what did not run. */
  readonly spent: readonly Spent[];
  /** Of all statements within the window; 0 when nothing ran. */
  readonly meanMs: number;
  readonly callsPerMinute: number;
  /** The samples lie far enough apart, or all counters began within the window. */
  readonly hasHistory: boolean;
}

/**
 * From two samples where they lie far enough apart; else from the counters of those statements that were first counted
 * within the window (1.11 and newer know). Counters that went down were reset by somebody: what they hold is since then.
 */
export function spendingOf(
  { before, after, elapsedMs }: Pair<Statements>,
  leastMs: number,
  look: Look,
): Spending {
  const counted = [...after.byKey.values()];
  if (elapsedMs >= leastMs) {
    const minutes = elapsedMs / 60_000;
    return summed(
      counted.flatMap((now) => between(before, now, minutes, look)),
      minutes,
      true,
    );
  }
  const young = counted.filter(
    ({ since }) => since !== undefined && ageMs(since, look) <= look.windowMs,
  );
  const oldestMs = Math.max(leastMs, ...young.map(({ since }) => ageMs(since ?? look.now, look)));
  const parts = young.flatMap((now) => lifetime(now, look));
  return summed(parts, oldestMs / 60_000, young.length === counted.length);
}

type Part = Omit<Spent, 'share'>;

function between(before: Statements, now: StatementCounters, minutes: number, look: Look): Part[] {
  const then = before.byKey.get(now.key);
  const wasReset = then !== undefined && then.calls > now.calls;
  const base = then === undefined || wasReset ? undefined : then;
  const calls = now.calls - (base?.calls ?? 0);
  if (calls <= 0) return [];
  const totalMs = now.totalMs - (base?.totalMs ?? 0);
  return [
    {
      key: now.key,
      calls,
      callsPerMinute: calls / minutes,
      totalMs,
      meanMs: totalMs / calls,
      rowsPerCall: (now.rows - (base?.rows ?? 0)) / calls,
      ...(base !== undefined && base.calls > 0 && { meanBeforeMs: base.totalMs / base.calls }),
      isNew: isNew(then, before, now, look),
      ...(now.since !== undefined && { since: now.since }),
    },
  ];
}

/** What was left out of the earlier sample may have been there. */
function isNew(
  then: StatementCounters | undefined,
  before: Statements,
  { since }: StatementCounters,
  look: Look,
): boolean {
  if (since !== undefined) return ageMs(since, look) <= look.windowMs;
  return then === undefined && !before.truncated;
}

function lifetime(now: StatementCounters, look: Look): Part[] {
  if (now.calls <= 0) return [];
  return [
    {
      key: now.key,
      calls: now.calls,
      callsPerMinute: (now.calls * 60_000) / Math.max(1, ageMs(now.since ?? look.now, look)),
      totalMs: now.totalMs,
      meanMs: now.totalMs / now.calls,
      rowsPerCall: now.rows / now.calls,
      isNew: true,
      ...(now.since !== undefined && { since: now.since }),
    },
  ];
}

function summed(parts: readonly Part[], minutes: number, hasHistory: boolean): Spending {
  const totalMs = parts.reduce((sum, part) => sum + part.totalMs, 0);
  const calls = parts.reduce((sum, part) => sum + part.calls, 0);
  return {
    spent: parts
      .map((part) => ({ ...part, share: totalMs === 0 ? 0 : part.totalMs / totalMs }))
      .sort((a, b) => b.totalMs - a.totalMs),
    meanMs: calls === 0 ? 0 : totalMs / calls,
    callsPerMinute: calls / minutes,
    hasHistory,
  };
}

function ageMs(since: Date, { now }: Look): number {
  return Math.max(0, now.getTime() - since.getTime());
}
