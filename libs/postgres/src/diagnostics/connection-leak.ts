import {
  blindSpot,
  defineDiagnostic,
  durationText,
  entityKey,
  isBlindSpot,
  optional,
  windowed,
  type Entity,
  type Finding,
  type Look,
  type Measurement,
  type Pair,
} from '@starr/kernel';
import { addressEntity, applicationEntity, clientEntity, serverEntity } from '../entities.ts';
import {
  pooledSessionsRead,
  type PooledSession,
  type PooledSessions,
} from '../reads/pooled-sessions.ts';
import { connectionLimitsRead } from '../reads/connection-limits.ts';
import { sessionGroupsRead, type SessionGroups } from '../reads/session-groups.ts';
import { sessionSharesRead } from '../reads/session-shares.ts';
import { slotsRead } from '../reads/slots.ts';
import { partGroups, starvedRoom } from './behind-poolers.ts';
import { limitedRoom } from './limited-room.ts';
import { fingerprintsFrom, type Fingerprint, type Subject } from './leak-fingerprint.ts';
import {
  covers,
  holdsMuchOf,
  isFull,
  LEAK_THRESHOLDS,
  leaksIn,
  spreadLimitMs,
  type Leak,
  type LeakLimits,
  type Room,
} from './leak-rules.ts';

/** Of what is healthy, the most suspicious are measured too. */
const MEASURED_SUBJECTS = 20;

export const connectionLeak = defineDiagnostic({
  id: 'db.connection-leak',
  title: 'Applications that leak connections',
  explains:
    'Looks for sessions that were used once and never again, by application and client address: many of them, with idle ages spread apart, and growing, ' +
    'are connections that nobody gives back. A leak that has stopped only because the slots are full, or a connection limit is reached, counts too. ' +
    'Behind a PgBouncer that is configured as a pooler of the target, its clients are looked at in place of its backends, so that the client that leaks is named. ' +
    'By hand: find the code path that takes a client and does not release it; until then end those sessions.',
  replaces: [
    "SELECT application_name, client_addr, count(*) FROM pg_stat_activity WHERE state = 'idle' GROUP BY 1, 2 ORDER BY 3 DESC;",
    "SELECT pid, backend_start, state_change, query FROM pg_stat_activity WHERE state = 'idle' ORDER BY state_change;",
  ],
  reads: {
    groups: windowed(sessionGroupsRead),
    slots: slotsRead,
    pooled: optional(pooledSessionsRead),
    ceilings: optional(connectionLimitsRead),
    shares: optional(sessionSharesRead),
  },
  thresholds: LEAK_THRESHOLDS,
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
  judge: ({ groups, slots, pooled, ceilings, shares }, limits, look) => {
    const { sessions, blind }: Pick<PooledSessions, 'sessions' | 'blind'> = isBlindSpot(pooled)
      ? { sessions: [], blind: [pooled] }
      : pooled;
    const { direct, besides, behind } = partGroups(groups, sessions, look.now);
    // A single sample tells growth by the ages alone.
    const parts = [direct, ...[besides, behind].map(onceSampled)].map((pair) =>
      fingerprintsFrom(pair, limits.growthWindowMs, look.now),
    );
    const room: Room = { of: 'server', ...slots };
    const roomOf = (fingerprint: Fingerprint): Room => {
      const { application } = fingerprint.subject;
      if (!isBlindSpot(pooled) && parts[2]?.includes(fingerprint) === true)
        return starvedRoom(application, pooled) ?? room;
      if (isBlindSpot(ceilings) || isBlindSpot(shares)) return room;
      return limitedRoom(application, ceilings, shares) ?? room;
    };
    const leaks = parts.flatMap((part) => leaksIn(part, roomOf, limits));
    const findings = leaks.map((leak) =>
      findingFrom(leak, poolersOf(leak, parts[2] ?? [], sessions), {
        room: roomOf(leak.fingerprint),
        limits,
        look,
      }),
    );
    const total = leaks.reduce((sum, { fingerprint }) => sum + fingerprint.usedOnce, 0);
    const quiet = parts
      .flat()
      .filter((each) => !leaks.some((leak) => covers(leak, each)))
      .toSorted((a, b) => b.usedOnce - a.usedOnce)
      .filter(
        isFirstOf(
          findings.map(({ about }) => about),
          look,
        ),
      );
    return {
      measured: [
        { name: 'leakedSessions', about: serverEntity(look.target), value: total },
        ...findings.flatMap(({ measured }) => measured),
        ...quiet
          .slice(0, MEASURED_SUBJECTS)
          .flatMap((each) =>
            measurementsOf(each, entityOf(each.subject, look), 0, { room: roomOf(each), limits }),
          ),
      ],
      findings,
      blind: [
        ...(groups.after.truncated
          ? [blindSpot('truncated', 'the smallest groups of sessions were left out')]
          : []),
        ...blind,
      ],
    };
  },
});

/** One that connects both ways is measured once, where more of it was used once. */
function isFirstOf(known: readonly Entity[], look: Look): (each: Fingerprint) => boolean {
  const taken = new Set(known.map(entityKey));
  return ({ subject }) => {
    const key = entityKey(entityOf(subject, look));
    const isFirst = !taken.has(key);
    taken.add(key);
    return isFirst;
  };
}

function onceSampled(after: SessionGroups): Pair<SessionGroups> {
  return { before: after, after, elapsedMs: 0 };
}

/** The poolers that a leak goes through; none when it is direct. */
function poolersOf(
  { fingerprint }: Leak,
  behind: readonly Fingerprint[],
  sessions: readonly PooledSession[],
): readonly string[] {
  if (!behind.includes(fingerprint)) return [];
  const { application } = fingerprint.subject;
  const names = sessions
    .filter(({ client }) => client?.application === application)
    .map(({ pooler }) => pooler);
  return [...new Set(names)].toSorted();
}

/** About the one client where there is one, about the application where several share the leak. */
function findingFrom(
  { fingerprint, clients }: Leak,
  poolers: readonly string[],
  { room, limits, look }: { room: Room; limits: LeakLimits; look: Look },
): Finding {
  const [only] = clients;
  const subject = only !== undefined && clients.length === 1 ? only.subject : fingerprint.subject;
  const about = entityOf(subject, look);
  const isCritical = isFull(room, limits) || holdsMuchOf(room, fingerprint, limits);
  return {
    severity: isCritical ? 'critical' : 'warning',
    about,
    says: sentence(fingerprint, clients, about, { poolers, room }),
    ...(fingerprint.since !== undefined && { since: fingerprint.since }),
    measured: measurementsOf(fingerprint, about, fingerprint.usedOnce, { room, limits }),
    rows: clients.map((client) => ({
      application: client.subject.application,
      ...(client.subject.address !== undefined && { address: client.subject.address }),
      ...(poolers.length > 0 && { pooler: poolers.join(', ') }),
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

const FULL = {
  server: 'the slots are full',
  pool: 'its pool is full',
  limit: 'its connection limit is reached',
} as const satisfies Record<Room['of'], string>;

function sentence(
  whole: Fingerprint,
  clients: readonly Fingerprint[],
  about: Entity,
  { poolers, room }: { poolers: readonly string[]; room: Room },
): string {
  const addresses = clients.length === 1 ? '' : ` from ${clients.length} addresses`;
  const from =
    poolers.length === 0 ? addresses : `${addresses} behind pooler ${poolers.join(', ')}`;
  const pace =
    whole.growthPerMinute > 0
      ? `growing by ${Math.max(1, Math.round(whole.growthPerMinute))} a minute`
      : `no longer growing, since ${FULL[room.of]}`;
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
  { room, limits }: { room: Room; limits: LeakLimits },
): Measurement[] {
  return [
    { name: 'leakedSessions', about, value: leaked, limit: limits.leakedSessions },
    { name: 'usedOnceRatio', about, value: usedOnceRatio, limit: limits.usedOnceRatio },
    { name: 'growthPerMinute', about, value: growthPerMinute, limit: limits.growthPerMinute },
    { name: 'idleSpreadMs', about, value: idleSpreadMs, limit: spreadLimitMs(room, limits) },
  ];
}
