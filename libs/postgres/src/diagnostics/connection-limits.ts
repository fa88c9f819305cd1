import {
  blindSpot,
  defineDiagnostic,
  isBlindSpot,
  optional,
  type BlindSpot,
  type Entity,
  type Finding,
  type Limits,
  type Look,
  type Measurement,
  type Row,
  type Verdict,
} from '@starr/kernel';
import { applicationEntity, databaseEntity, roleEntity, serverEntity } from '../entities.ts';
import type { Refusal } from '../postgres-request.ts';
import { connectionLimitsRead, type ConnectionLimit } from '../reads/connection-limits.ts';
import { refusalsRead } from '../reads/refusals.ts';
import { sessionSharesRead, type SessionShare } from '../reads/session-shares.ts';
import { slotsRead, type Slots } from '../reads/slots.ts';
import { isOfALimit } from './slot-pressure.ts';
import { standingRefusal, turnedAway, unseenOf } from './turned-away.ts';

const MOST_FINDINGS = 5;
const MOST_MEASURED = 50;
const ROWS = 10;
/** Starr's own name: a limit that only binds us is kept by us. */
const OURSELVES = 'starr';

const thresholds = {
  fullRatio: {
    value: 0.95,
    unit: 'ratio',
    says: 'sessions / CONNECTION LIMIT that is a warning; at the limit itself the next connect is refused',
    source: 'bucardo/check_postgres backends (95 %); denominator ours',
  },
  restingShare: {
    value: 0.5,
    unit: 'ratio',
    says: 'a limit that is reached is critical while no more than this share of its sessions has been idle for a minute: who is turned away cannot be served by those who have one',
    source: 'Starr: a pool as large as its limit that mostly rests turns nobody away',
  },
} as const;

export const connectionLimits = defineDiagnostic({
  id: 'db.connection-limits',
  title: 'Connection limits of roles and databases',
  explains:
    'Counts sessions against the CONNECTION LIMIT of each role and database that has one. A role can be turned away ("too many connections for role") while the server is nearly empty: ' +
    'ending the sessions of others, or more slots, do not help then. A limit that turns Starr itself away at the first contact is a finding as well; who fills it is not seen then. A limit of 0 is closed on purpose, superusers are bound by none, and a limit that holds only Starr itself is left out. ' +
    'By hand: ALTER ROLE … CONNECTION LIMIT, or lower the pools of that role until their sum fits.',
  replaces: [
    'SELECT rolname, rolconnlimit FROM pg_roles WHERE rolconnlimit >= 0;',
    'SELECT datname, datconnlimit FROM pg_database WHERE datconnlimit >= 0;',
    'SELECT usename, datname, count(*) FROM pg_stat_activity GROUP BY 1, 2 ORDER BY 3 DESC;',
  ],
  reads: {
    limits: optional(connectionLimitsRead),
    shares: optional(sessionSharesRead),
    slots: optional(slotsRead),
    refusals: refusalsRead,
  },
  thresholds,
  measures: {
    limits: { unit: 'count', says: 'roles and databases with a connection limit' },
    limitUseRatio: {
      unit: 'ratio',
      says: 'sessions / CONNECTION LIMIT; of the server: the fullest, 0 when there is no limit',
    },
    limitedSessions: { unit: 'count', says: 'sessions that count against the limit' },
    raiseTo: {
      unit: 'count',
      says: 'a limit that leaves half of the free slots of the server to others; absent: none is free',
    },
  },
  judge: ({ limits, shares, slots, refusals }, bounds, look) => {
    if (isBlindSpot(limits) || isBlindSpot(shares) || isBlindSpot(slots))
      return unseen(unseenOf([limits, shares, slots]), refusals, bounds, look.target);
    const uses = limits.limits
      .flatMap((limit) => useOf(limit, shares.shares) ?? [])
      .sort((a, b) => b.ratio - a.ratio || b.limit - a.limit);
    const about = serverEntity(look.target);
    return {
      measured: [
        { name: 'limits', about, value: uses.length },
        { name: 'limitUseRatio', about, value: uses[0]?.ratio ?? 0, limit: bounds.fullRatio },
        ...uses
          .slice(0, MOST_MEASURED)
          .flatMap((use) => measurementsOf(use, slots, bounds, look.target)),
      ],
      findings: uses
        .filter(({ ratio }) => ratio >= bounds.fullRatio)
        .slice(0, MOST_FINDINGS)
        .map((use) => findingFrom(use, slots, bounds, look)),
      blind:
        limits.truncated || shares.truncated
          ? [blindSpot('truncated', 'more roles, databases and applications than were asked about')]
          : [],
    };
  },
});

/** Want of a slot is for db.connection-use to find. */
function unseen(
  blind: readonly BlindSpot[],
  refusals: readonly Refusal[],
  bounds: Limits<typeof thresholds>,
  target: string,
): Verdict {
  const refusal = standingRefusal(refusals);
  if (refusal === undefined || !isOfALimit(refusal)) return { measured: [], blind };
  const { by, role, database } = refusal;
  const about = by === 'role-limit' ? roleEntity(target, role) : databaseEntity(target, database);
  // The refusal is the server's own word for it.
  const full = { name: 'limitUseRatio', about, value: 1, limit: bounds.fullRatio };
  return turnedAway(refusal, about, [full], blind);
}

/** A limit, and who fills it. */
interface LimitUse extends ConnectionLimit {
  readonly shares: readonly SessionShare[];
  readonly sessions: number;
  readonly ratio: number;
  readonly idleLong: number;
}

/** Undefined: closed on purpose, or kept by ourselves. */
function useOf(limit: ConnectionLimit, all: readonly SessionShare[]): LimitUse | undefined {
  const shares = all.filter((share) => share[limit.of] === limit.name);
  if (limit.limit === 0) return undefined;
  if (shares.length > 0 && shares.every(({ application }) => application === OURSELVES))
    return undefined;
  const sum = (count: (share: SessionShare) => number) =>
    shares.reduce((total, share) => total + count(share), 0);
  const sessions = sum((share) => share.sessions);
  return {
    ...limit,
    shares,
    sessions,
    ratio: sessions / limit.limit,
    idleLong: sum((share) => share.idleLong),
  };
}

function findingFrom(
  use: LimitUse,
  slots: Slots,
  bounds: Limits<typeof thresholds>,
  look: Look,
): Finding {
  const isReached = use.sessions >= use.limit;
  const rests = use.idleLong > use.sessions * bounds.restingShare;
  return {
    severity: isReached && !rests ? 'critical' : 'warning',
    about: entityOf(use, look.target),
    says: sentence(use, slots, isReached),
    measured: measurementsOf(use, slots, bounds, look.target),
    rows: use.shares.slice(0, ROWS).map(rowOf),
    involves: use.shares
      .slice(0, ROWS)
      .map(({ application }) => applicationEntity(look.target, application)),
  };
}

function sentence(use: LimitUse, { used, usable }: Slots, isReached: boolean): string {
  const { of, name, sessions, limit } = use;
  const what = isReached
    ? `${of} ${name} is at its connection limit (${sessions} of ${limit}): its next connect is refused`
    : `${of} ${name} has ${sessions} of the ${limit} sessions that its connection limit allows`;
  const room = usable - used;
  return room > 0
    ? `${what}, while ${room} of ${usable} slots of the server are free`
    : `${what}; the server has no free slot either`;
}

function measurementsOf(
  use: LimitUse,
  { used, usable }: Slots,
  bounds: Limits<typeof thresholds>,
  target: string,
): Measurement[] {
  const about = entityOf(use, target);
  const spare = Math.floor((usable - used) / 2);
  return [
    { name: 'limitUseRatio', about, value: use.ratio, limit: bounds.fullRatio },
    { name: 'limitedSessions', about, value: use.sessions, limit: use.limit },
    ...(spare > 0 ? [{ name: 'raiseTo', about, value: use.limit + spare }] : []),
  ];
}

function entityOf({ of, name }: ConnectionLimit, target: string): Entity {
  return of === 'role' ? roleEntity(target, name) : databaseEntity(target, name);
}

function rowOf(share: SessionShare): Row {
  return {
    role: share.role,
    database: share.database,
    application: share.application,
    sessions: share.sessions,
    active: share.active,
    idle: share.idle,
    idleInTransaction: share.idleInTransaction,
    idleLong: share.idleLong,
  };
}
