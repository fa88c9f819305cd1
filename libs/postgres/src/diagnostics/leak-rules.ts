import type { Limits } from '@starr/kernel';
import type { Slots } from '../reads/slots.ts';
import type { Fingerprint } from './leak-fingerprint.ts';
import { SLOT_THRESHOLDS } from './slot-pressure.ts';

/** What counts as a leak. */
export const LEAK_THRESHOLDS = {
  leakedSessions: {
    value: 5,
    unit: 'count',
    says: 'sessions used once and idle since, below which nothing is concluded',
    source: 'Starr: fewer are any pool’s first sessions',
  },
  usedOnceRatio: {
    value: 0.8,
    unit: 'ratio',
    says: 'share of the idle sessions that were used once; those idle for less than 5 s after their only use do not count',
    source: 'measured on PostgreSQL 13 to 18: 60 of 60 leaked sessions, 0 of 20 pooled ones',
  },
  growthPerMinute: SLOT_THRESHOLDS.growthPerMinute,
  idleSpreadMs: {
    value: 3000,
    unit: 'ms',
    says: 'spread of their idle ages at one client, 10th to 90th percentile; a pool that was opened at once has none',
    source: 'Starr: a pool of 80 opens within two seconds',
  },
  starvedSpreadMs: {
    value: 1000,
    unit: 'ms',
    says: 'the same for sessions that have filled a pool of a pooler while others wait for it; it is smaller, and full sooner',
    source: 'Starr: a pool of 40 opens within one second',
  },
  growthWindowMs: {
    value: 15_000,
    unit: 'ms',
    says: 'two samples closer than this tell less of growth than the ages of the sessions do',
    source: 'Starr: at four a minute one session comes in that time',
  },
  criticalShare: {
    value: 0.5,
    unit: 'ratio',
    says: 'share of the usable slots held by leaked sessions that is critical',
    source: 'Starr: the others then have less than half of their slots',
  },
  criticalRatio: SLOT_THRESHOLDS.criticalRatio,
} as const;

export type LeakLimits = Limits<typeof LEAK_THRESHOLDS>;

/** What a leak fills: the slots of the server, the pool of a pooler that has none left, or a connection limit that is reached. */
export interface Room extends Pick<Slots, 'used' | 'usable'> {
  readonly of: 'server' | 'pool' | 'limit';
}
type RoomOf = (fingerprint: Fingerprint) => Room;

/** One leak: an application, with those of its clients that take part. */
export interface Leak {
  readonly fingerprint: Fingerprint;
  readonly clients: readonly Fingerprint[];
}

/** An application as a whole where it shows the fingerprint, else those of its clients that do. */
export function leaksIn(all: readonly Fingerprint[], roomOf: RoomOf, limits: LeakLimits): Leak[] {
  const applications = all.filter(({ subject }) => subject.kind === 'application');
  return applications.flatMap((whole) => {
    const clients = all.filter(
      ({ subject }) =>
        subject.kind === 'client' && subject.application === whole.subject.application,
    );
    if (isLeak(whole, roomOf(whole), limits)) {
      return { fingerprint: whole, clients: clients.filter((each) => takesPart(each, limits)) };
    }
    return clients
      .filter((each) => isLeak(each, roomOf(each), limits))
      .map((each) => ({ fingerprint: each, clients: [each] }));
  });
}

function isLeak(fingerprint: Fingerprint, room: Room, limits: LeakLimits): boolean {
  if (fingerprint.usedOnce < limits.leakedSessions) return false;
  if (!takesPart(fingerprint, limits)) return false;
  if (fingerprint.idleSpreadMs < spreadLimitMs(room, limits)) return false;
  if (fingerprint.growthPerMinute >= limits.growthPerMinute) return true;
  // It cannot grow any more: nothing is left to leak.
  return isFull(room, limits) && holdsMuchOf(room, fingerprint, limits);
}

export function spreadLimitMs({ of }: Room, limits: LeakLimits): number {
  return of === 'pool' ? limits.starvedSpreadMs : limits.idleSpreadMs;
}

export function isFull({ used, usable }: Room, limits: LeakLimits): boolean {
  return used >= usable * limits.criticalRatio;
}

export function holdsMuchOf(
  { usable }: Room,
  { usedOnce }: Fingerprint,
  limits: LeakLimits,
): boolean {
  return usedOnce >= usable * limits.criticalShare;
}

function takesPart({ usedOnce, usedOnceRatio }: Fingerprint, limits: LeakLimits): boolean {
  return usedOnce > 0 && usedOnceRatio >= limits.usedOnceRatio;
}

export function covers({ fingerprint, clients }: Leak, each: Fingerprint): boolean {
  return each === fingerprint || clients.includes(each);
}
