import type { Pair } from '@starr/kernel';
import { SETTLED_MS, type SessionGroup, type SessionGroups } from '../reads/session-groups.ts';

const MINUTE_MS = 60_000;

/** Whose sessions: an application as a whole, or one address of it. */
export interface Subject {
  readonly kind: 'application' | 'client';
  readonly application: string;
  /** Absent: a local socket, or an application as a whole. */
  readonly address?: string;
}

/** What the sessions of a subject have in common. */
export interface Fingerprint {
  readonly subject: Subject;
  readonly sessions: number;
  readonly idle: number;
  /** Used once and idle since. */
  readonly usedOnce: number;
  /** usedOnce / (idle − undecided); 0 when nothing is decided. */
  readonly usedOnceRatio: number;
  readonly idleSpreadMs: number;
  readonly longestIdleMs: number;
  /** Of the sessions used once; by two samples where they are far enough apart, else by their ages. */
  readonly growthPerMinute: number;
  /** When the first of them were started. Absent when there is none. */
  readonly since?: Date;
}

/** Every application and every client, those with the most sessions used once first. */
export function fingerprintsFrom(
  { before, after, elapsedMs }: Pair<SessionGroups>,
  growthWindowMs: number,
  now: Date,
): Fingerprint[] {
  const known = elapsedMs >= growthWindowMs;
  const earlier = known ? elapsedMs : undefined;
  const clients = after.groups.map((group) => {
    const was = before.groups.filter((each) => isSame(each, group));
    const { application, address } = group;
    const subject: Subject = {
      kind: 'client',
      application,
      ...(address !== undefined && { address }),
    };
    return fingerprintOf(subject, [group], was, earlier, now);
  });
  const applications = [...new Set(after.groups.map(({ application }) => application))].map(
    (application) => {
      const of = ({ groups }: SessionGroups) =>
        groups.filter((each) => each.application === application);
      return fingerprintOf(
        { kind: 'application', application },
        of(after),
        of(before),
        earlier,
        now,
      );
    },
  );
  return [...applications, ...clients].sort((a, b) => b.usedOnce - a.usedOnce);
}

function isSame(a: SessionGroup, b: SessionGroup): boolean {
  return a.application === b.application && a.address === b.address;
}

function fingerprintOf(
  subject: Subject,
  groups: readonly SessionGroup[],
  before: readonly SessionGroup[],
  elapsedMs: number | undefined,
  now: Date,
): Fingerprint {
  const sum = (count: (group: SessionGroup) => number, of = groups) =>
    of.reduce((total, group) => total + count(group), 0);
  const max = (value: (group: SessionGroup) => number) => Math.max(0, ...groups.map(value));
  const usedOnce = sum((group) => group.usedOnce);
  const idle = sum((group) => group.idle);
  // A fast leak always has fresh sessions that are too young to tell; they speak neither for nor against it.
  const decided = idle - sum((group) => group.undecided);
  const starts = groups.flatMap(({ usedOnceSince }) => usedOnceSince?.getTime() ?? []);
  const since = starts.length === 0 ? undefined : new Date(Math.min(...starts));
  return {
    subject,
    sessions: sum((group) => group.sessions),
    idle,
    usedOnce,
    usedOnceRatio: decided <= 0 ? 0 : usedOnce / decided,
    idleSpreadMs: max((group) => group.idleSpreadMs),
    longestIdleMs: max((group) => group.longestIdleMs),
    growthPerMinute:
      elapsedMs === undefined
        ? growthByAge(
            usedOnce,
            sum((group) => group.usedOnceLastMinute),
            since,
            now,
          )
        : ((usedOnce - sum((group) => group.usedOnce, before)) * MINUTE_MS) / elapsedMs,
    ...(since !== undefined && { since }),
  };
}

/**
 * Sessions that nobody gives back keep their birthdays: how many of those that are left were started lately tells the pace
 * without a second sample. Those of the last seconds are not settled yet and do not count.
 */
function growthByAge(all: number, lastMinute: number, since: Date | undefined, now: Date): number {
  if (since === undefined) return 0;
  const spanMs = now.getTime() - since.getTime() - SETTLED_MS;
  if (spanMs >= MINUTE_MS - SETTLED_MS) return (lastMinute * MINUTE_MS) / (MINUTE_MS - SETTLED_MS);
  return spanMs <= 0 ? 0 : (all * MINUTE_MS) / spanMs;
}
