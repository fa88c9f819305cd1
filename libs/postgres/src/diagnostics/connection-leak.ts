import {
  blindSpot,
  defineDiagnostic,
  durationText,
  windowed,
  type Entity,
  type Finding,
  type Limits,
  type Look,
  type Measurement,
} from '@starr/kernel';
import { addressEntity, applicationEntity, clientEntity, serverEntity } from '../entities.ts';
import { sessionGroupsRead } from '../reads/session-groups.ts';
import { slotsRead, type Slots } from '../reads/slots.ts';
import { fingerprintsFrom, type Fingerprint, type Subject } from './leak-fingerprint.ts';
import { SLOT_THRESHOLDS } from './slot-pressure.ts';

/** Of what is healthy, the most suspicious are measured too. */
const MEASURED_SUBJECTS = 20;

const thresholds = {
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

type LeakLimits = Limits<typeof thresholds>;

export const connectionLeak = defineDiagnostic({
  id: 'db.connection-leak',
  title: 'Applications that leak connections',
  explains:
    'Looks for sessions that were used once and never again, by application and client address: many of them, with idle ages spread apart, and growing, ' +
    'are connections that nobody gives back. A leak that has stopped only because the slots are full counts too. ' +
    'By hand: find the code path that takes a client and does not release it; until then end those sessions.',
  replaces: [
    "SELECT application_name, client_addr, count(*) FROM pg_stat_activity WHERE state = 'idle' GROUP BY 1, 2 ORDER BY 3 DESC;",
    "SELECT pid, backend_start, state_change, query FROM pg_stat_activity WHERE state = 'idle' ORDER BY state_change;",
  ],
  reads: { groups: windowed(sessionGroupsRead), slots: slotsRead },
  thresholds,
  measures: {
    leakedSessions: {
      unit: 'count',
      says: 'sessions used once and idle since, where they are judged a leak; otherwise 0',
    },
    usedOnceRatio: {
      unit: 'ratio',
      says: 'sessions used once / idle sessions that are not too young to tell',
    },
    growthPerMinute: { unit: 'per-minute', says: 'growth of the sessions used once' },
    idleSpreadMs: { unit: 'ms', says: 'spread of their idle ages, 10th to 90th percentile' },
  },
  judge: ({ groups, slots }, limits, look) => {
    const subjects = fingerprintsFrom(groups, limits.growthWindowMs, look.now);
    const leaks = leaksIn(subjects, slots, limits);
    const findings = leaks.map((leak) => findingFrom(leak, slots, limits, look));
    const total = leaks.reduce((sum, { fingerprint }) => sum + fingerprint.usedOnce, 0);
    const quiet = subjects.filter((each) => !leaks.some((leak) => covers(leak, each)));
    return {
      measured: [
        { name: 'leakedSessions', about: serverEntity(look.target), value: total },
        ...findings.flatMap(({ measured }) => measured),
        ...quiet
          .slice(0, MEASURED_SUBJECTS)
          .flatMap((each) => measurementsOf(each, entityOf(each.subject, look), 0, limits)),
      ],
      findings,
      blind: groups.after.truncated
        ? [blindSpot('truncated', 'the smallest groups of sessions were left out')]
        : [],
    };
  },
});

/** One leak: an application, with those of its clients that take part. */
interface Leak {
  readonly fingerprint: Fingerprint;
  readonly clients: readonly Fingerprint[];
}

/** An application as a whole where it shows the fingerprint, else those of its clients that do. */
function leaksIn(all: readonly Fingerprint[], slots: Slots, limits: LeakLimits): Leak[] {
  const applications = all.filter(({ subject }) => subject.kind === 'application');
  return applications.flatMap((whole) => {
    const clients = all.filter(
      ({ subject }) =>
        subject.kind === 'client' && subject.application === whole.subject.application,
    );
    if (isLeak(whole, slots, limits)) {
      return { fingerprint: whole, clients: clients.filter((each) => takesPart(each, limits)) };
    }
    return clients
      .filter((each) => isLeak(each, slots, limits))
      .map((each) => ({ fingerprint: each, clients: [each] }));
  });
}

function isLeak(fingerprint: Fingerprint, slots: Slots, limits: LeakLimits): boolean {
  if (fingerprint.usedOnce < limits.leakedSessions) return false;
  if (!takesPart(fingerprint, limits)) return false;
  if (fingerprint.idleSpreadMs < limits.idleSpreadMs) return false;
  if (fingerprint.growthPerMinute >= limits.growthPerMinute) return true;
  // It cannot grow any more: nothing is left to leak.
  const full = slots.used >= slots.usable * limits.criticalRatio;
  return full && fingerprint.usedOnce >= slots.usable * limits.criticalShare;
}

function takesPart({ usedOnce, usedOnceRatio }: Fingerprint, limits: LeakLimits): boolean {
  return usedOnce > 0 && usedOnceRatio >= limits.usedOnceRatio;
}

function covers({ fingerprint, clients }: Leak, each: Fingerprint): boolean {
  return each === fingerprint || clients.includes(each);
}

/** About the one client where there is one, about the application where several share the leak. */
function findingFrom(leak: Leak, slots: Slots, limits: LeakLimits, look: Look): Finding {
  const { fingerprint, clients } = leak;
  const [only] = clients;
  const subject = only !== undefined && clients.length === 1 ? only.subject : fingerprint.subject;
  const about = entityOf(subject, look);
  const held = fingerprint.usedOnce >= slots.usable * limits.criticalShare;
  const full = slots.used >= slots.usable * limits.criticalRatio;
  return {
    severity: held || full ? 'critical' : 'warning',
    about,
    says: sentence(fingerprint, clients, about),
    ...(fingerprint.since !== undefined && { since: fingerprint.since }),
    measured: measurementsOf(fingerprint, about, fingerprint.usedOnce, limits),
    rows: clients.map((client) => ({
      application: client.subject.application,
      ...(client.subject.address !== undefined && { address: client.subject.address }),
      sessions: client.sessions,
      idle: client.idle,
      usedOnce: client.usedOnce,
      longestIdle: { durationMs: client.longestIdleMs },
      growthPerMinute: client.growthPerMinute,
    })),
    involves: clients.flatMap(({ subject: { application, address } }) => [
      clientEntity(look.target, application, address),
      ...(address === undefined ? [] : [addressEntity(address)]),
    ]),
  };
}

function sentence(whole: Fingerprint, clients: readonly Fingerprint[], about: Entity): string {
  const from = clients.length === 1 ? '' : ` from ${clients.length} addresses`;
  const pace =
    whole.growthPerMinute > 0
      ? `growing by ${Math.max(1, Math.round(whole.growthPerMinute))} a minute`
      : 'no longer growing, since the slots are full';
  return (
    `${about.name} leaks connections: ${whole.usedOnce} sessions${from}, each used once and idle since, ` +
    `for up to ${durationText(whole.longestIdleMs)}, ${pace}`
  );
}

function entityOf({ kind, application, address }: Subject, look: Look): Entity {
  return kind === 'application'
    ? applicationEntity(look.target, application)
    : clientEntity(look.target, application, address);
}

function measurementsOf(
  { usedOnceRatio, growthPerMinute, idleSpreadMs }: Fingerprint,
  about: Entity,
  leaked: number,
  limits: LeakLimits,
): Measurement[] {
  return [
    { name: 'leakedSessions', about, value: leaked, limit: limits.leakedSessions },
    { name: 'usedOnceRatio', about, value: usedOnceRatio, limit: limits.usedOnceRatio },
    { name: 'growthPerMinute', about, value: growthPerMinute, limit: limits.growthPerMinute },
    { name: 'idleSpreadMs', about, value: idleSpreadMs, limit: limits.idleSpreadMs },
  ];
}
