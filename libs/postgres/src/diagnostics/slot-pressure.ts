import type { Limits, Look, Pair } from '@starr/kernel';
import type { Slots } from '../reads/slots.ts';
import type { Refusal } from '../postgres-request.ts';

/** Shared by the checks that ask whether the slots are under pressure; sources are pinned where they can move. */
export const SLOT_THRESHOLDS = {
  warnRatio: {
    value: 0.8,
    unit: 'ratio',
    says: 'use of the usable slots that is worth a look, with growth, waiters or refusals beside it',
    source: 'prometheus-community/postgres_exporter postgres_mixin (80 %); denominator ours',
  },
  criticalRatio: {
    value: 0.95,
    unit: 'ratio',
    says: 'use of the usable slots that is critical by itself',
    source: 'bucardo/check_postgres backends (95 %); denominator ours',
  },
  growthPerMinute: {
    value: 1,
    unit: 'per-minute',
    says: 'net growth of sessions between two samples that counts as growing',
    source: 'Starr: below, 100 slots last for more than an hour and a half',
  },
  growthSessions: {
    value: 3,
    unit: 'count',
    says: 'net growth in sessions that is more than jitter',
    source: 'Starr: one or two sessions come and go with every job',
  },
  growthWindowMs: {
    value: 5000,
    unit: 'ms',
    says: 'two samples closer than this tell nothing of growth',
    source: 'Starr: sessions of one request live shorter',
  },
  waitMs: {
    value: 10_000,
    unit: 'ms',
    says: 'a wait for a lock that counts as a waiter',
    source: 'Starr: a sixth of bucardo/check_postgres lockwait (1 min)',
  },
} as const;

type SlotLimits = Limits<typeof SLOT_THRESHOLDS>;

/** What two samples tell of growth; `unknown` when they are too close to each other. */
type Growth =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'flat'; readonly perMinute: number }
  | { readonly kind: 'growing'; readonly perMinute: number };

function growthOf(
  before: number,
  after: number,
  elapsedMs: number,
  limits: Pick<SlotLimits, 'growthPerMinute' | 'growthSessions' | 'growthWindowMs'>,
): Growth {
  if (elapsedMs < limits.growthWindowMs) return { kind: 'unknown' };
  const perMinute = ((after - before) * 60_000) / elapsedMs;
  const growing = after - before >= limits.growthSessions && perMinute >= limits.growthPerMinute;
  return { kind: growing ? 'growing' : 'flat', perMinute };
}

export interface SlotPressure {
  /** used / usable; may exceed 1 by sessions in reserved slots. 1 when nothing is usable. */
  readonly useRatio: number;
  readonly free: number;
  readonly growth: Growth;
  /** At today's growth. Absent: not growing, or not known. 0: full. */
  readonly fullInMs?: number;
  /** Sessions that have waited for a lock for long enough. */
  readonly waiters: number;
  /** Connects of our own refused for want of a slot, within the window. */
  readonly refusals: number;
  /** Above critical by itself, above warning only with something beside it. */
  readonly level: 'none' | 'warning' | 'critical';
}

export function slotPressure(
  slots: Pair<Slots>,
  refused: readonly Refusal[],
  limits: SlotLimits,
  look: Look,
): SlotPressure {
  const { after, before, elapsedMs } = slots;
  const useRatio = after.usable === 0 ? 1 : after.used / after.usable;
  const free = Math.max(0, after.usable - after.used);
  const growth = growthOf(before.used, after.used, elapsedMs, limits);
  const waiters = after.longestWaitMs >= limits.waitMs ? after.waiting : 0;
  const refusals = refused.filter((each) => isForWantOfASlot(each, look)).length;
  const beside = growth.kind === 'growing' || waiters > 0 || refusals > 0;
  return {
    useRatio,
    free,
    growth,
    ...(growth.kind === 'growing' && { fullInMs: (free / growth.perMinute) * 60_000 }),
    waiters,
    refusals,
    level:
      useRatio >= limits.criticalRatio
        ? 'critical'
        : useRatio >= limits.warnRatio && beside
          ? 'warning'
          : 'none',
  };
}

/** A CONNECTION LIMIT says nothing of the slots. `at` is our clock, `now` the target's: a skew of minutes is nothing to the window. */
function isForWantOfASlot(refusal: Refusal, look: Look): boolean {
  if (isOfALimit(refusal) || refusal.by === 'pooler-clients') return false;
  return look.now.getTime() - refusal.at.getTime() <= look.windowMs;
}

/** Of a role or a database, which has slots of the server to spare. */
export function isOfALimit({ by }: Refusal): boolean {
  return by === 'role-limit' || by === 'database-limit';
}
