import {
  blindSpot,
  defineDiagnostic,
  durationText,
  isBlindSpot,
  optional,
  windowed,
  type BlindSpot,
  type Entity,
  type Finding,
  type Limits,
  type Measurement,
  type Row,
  type Verdict,
} from '@starr/kernel';
import { serverEntity } from '../entities.ts';
import type { Refusal } from '../postgres-request.ts';
import { refusalsRead } from '../reads/refusals.ts';
import { sessionGroupsRead, type SessionGroups } from '../reads/session-groups.ts';
import {
  sessionSharesRead,
  type SessionShare,
  type SessionShares,
} from '../reads/session-shares.ts';
import { slotsRead, type Slots } from '../reads/slots.ts';
import { isOfALimit, SLOT_THRESHOLDS, slotPressure, type SlotPressure } from './slot-pressure.ts';
import { standingRefusal, turnedAway } from './turned-away.ts';

const ROWS = 5;

const thresholds = {
  ...SLOT_THRESHOLDS,
  fullSoonMs: {
    value: 300_000,
    unit: 'ms',
    says: 'full within this at today’s growth is critical, from the warning ratio on',
    source: 'Starr: the time that a person needs to look and act',
  },
} as const;

export const connectionUse = defineDiagnostic({
  id: 'db.connection-use',
  title: 'Connection slots in use',
  explains:
    'Counts client backends against the slots that ordinary roles may use: max_connections less superuser_reserved_connections and reserved_connections. ' +
    'A server that turns Starr away at the first contact is a finding too, with the limit that was hit: who fills it is not seen then. ' +
    'From the warning ratio on it is a finding only with growth, lock waiters or refused connects beside it; from the critical ratio on by itself. ' +
    'By hand: end sessions that nobody needs, or lower the pools until their sum is below the usable slots.',
  replaces: [
    'SELECT count(*) FROM pg_stat_activity;',
    'SHOW max_connections;',
    'SELECT application_name, state, count(*) FROM pg_stat_activity GROUP BY 1, 2 ORDER BY 3 DESC;',
    'SELECT usename, datname, count(*) FROM pg_stat_activity GROUP BY 1, 2 ORDER BY 3 DESC;',
  ],
  reads: {
    slots: optional(windowed(slotsRead)),
    groups: optional(sessionGroupsRead),
    shares: optional(sessionSharesRead),
    refusals: refusalsRead,
  },
  thresholds,
  measures: {
    useRatio: { unit: 'ratio', says: 'client backends / usable slots' },
    usedSlots: { unit: 'count', says: 'client backends' },
    freeSlots: { unit: 'count', says: 'usable slots that are free' },
    growthPerMinute: {
      unit: 'per-minute',
      says: 'net growth of client backends; absent: not known',
    },
    fullInMs: {
      unit: 'ms',
      says: 'until full at today’s growth; absent: not growing or not known',
    },
    lockWaiters: { unit: 'count', says: 'sessions that wait for a lock for long' },
    refusals: { unit: 'count', says: 'connects of Starr refused for want of a slot' },
  },
  judge: ({ slots, groups, shares, refusals }, limits, look) => {
    const about = serverEntity(look.target);
    if (isBlindSpot(slots)) return withoutSlots(slots, refusals, about, limits);
    const pressure = slotPressure(slots, refusals, limits, look);
    const measured = measurementsOf(about, slots.after, pressure, limits);
    const severity = severityOf(pressure, limits);
    const finding: Finding | undefined =
      severity === undefined
        ? undefined
        : {
            severity,
            about,
            says: sentence(slots.after, pressure),
            measured,
            rows: [
              ...(isBlindSpot(groups) ? [] : rowsOf(groups)),
              ...(isBlindSpot(shares) ? [] : sharesInRows(shares)),
            ],
          };
    return {
      measured,
      findings: finding === undefined ? [] : [finding],
      blind: blindSpotsOf(pressure, limits),
    };
  },
});

type UseLimits = Limits<typeof thresholds>;

/** A limit of a role or database is for db.connection-limits to find. */
function withoutSlots(
  unseen: BlindSpot,
  refusals: readonly Refusal[],
  about: Entity,
  limits: UseLimits,
): Verdict {
  const refusal = standingRefusal(refusals);
  if (refusal === undefined || isOfALimit(refusal)) return { measured: [], blind: [unseen] };
  const isServerFull = refusal.by !== 'pooler-clients';
  const measured: Measurement[] = [
    // The refusal is the server's own word for it.
    ...(isServerFull
      ? [
          { name: 'useRatio', about, value: 1, limit: limits.criticalRatio },
          { name: 'freeSlots', about, value: 0 },
        ]
      : []),
    { name: 'refusals', about, value: refusals.filter((each) => !isOfALimit(each)).length },
  ];
  return turnedAway(refusal, about, measured, [unseen]);
}

function severityOf(pressure: SlotPressure, limits: UseLimits): Finding['severity'] | undefined {
  if (pressure.level === 'none') return undefined;
  const soon = pressure.fullInMs !== undefined && pressure.fullInMs <= limits.fullSoonMs;
  return pressure.level === 'critical' || soon ? 'critical' : 'warning';
}

function measurementsOf(
  about: Entity,
  slots: Slots,
  { useRatio, free, growth, fullInMs, waiters, refusals }: SlotPressure,
  limits: UseLimits,
): Measurement[] {
  const measured = (name: string, value: number, limit?: number): Measurement => ({
    name,
    about,
    value,
    ...(limit !== undefined && { limit }),
  });
  return [
    measured('useRatio', useRatio, limits.criticalRatio),
    measured('usedSlots', slots.used, slots.usable),
    measured('freeSlots', free),
    ...(growth.kind === 'unknown'
      ? []
      : [measured('growthPerMinute', growth.perMinute, limits.growthPerMinute)]),
    ...(fullInMs === undefined ? [] : [measured('fullInMs', fullInMs, limits.fullSoonMs)]),
    measured('lockWaiters', waiters),
    measured('refusals', refusals),
  ];
}

function sentence(slots: Slots, pressure: SlotPressure): string {
  const { free, growth, fullInMs, waiters, refusals } = pressure;
  const beside = [
    ...(growth.kind === 'growing' ? [`growing by ${Math.round(growth.perMinute)} a minute`] : []),
    ...(waiters > 0 ? [`${waiters} waiting for locks`] : []),
    ...(refusals > 0
      ? [`Starr itself refused ${refusals === 1 ? 'once' : `${refusals} times`}`]
      : []),
  ].join(', ');
  const tail = beside === '' ? '' : `, ${beside}`;
  if (free === 0)
    return `all ${slots.usable} usable slots are in use: ordinary roles are turned away${tail}`;
  const full = fullInMs === undefined ? '' : `: full in ~${durationText(Math.max(1000, fullInMs))}`;
  return `${slots.used} of ${slots.usable} usable slots are in use${tail}${full}`;
}

function rowsOf({ groups }: SessionGroups): Row[] {
  return groups.slice(0, ROWS).map((group) => ({
    application: group.application,
    ...(group.address !== undefined && { address: group.address }),
    sessions: group.sessions,
    active: group.active,
    idle: group.idle,
    idleInTransaction: group.idleInTransaction,
  }));
}

/** The same sessions by role and database. */
function sharesInRows({ shares }: SessionShares): Row[] {
  const all = Map.groupBy(shares, ({ role, database }) => JSON.stringify([role, database]));
  return [...all.values()]
    .map((own) => {
      const sum = (count: (share: SessionShare) => number) =>
        own.reduce((total, share) => total + count(share), 0);
      return {
        role: own[0]?.role ?? '',
        database: own[0]?.database ?? '',
        sessions: sum(({ sessions }) => sessions),
        active: sum(({ active }) => active),
        idle: sum(({ idle }) => idle),
        idleInTransaction: sum(({ idleInTransaction }) => idleInTransaction),
      };
    })
    .sort((a, b) => b.sessions - a.sessions)
    .slice(0, ROWS);
}

/** Growth matters only where it would turn the verdict. */
function blindSpotsOf(
  { growth, useRatio, level }: SlotPressure,
  limits: UseLimits,
): readonly BlindSpot[] {
  if (growth.kind !== 'unknown' || useRatio < limits.warnRatio || level !== 'none') return [];
  return [
    blindSpot(
      'no-history',
      `whether the slots fill up needs two samples ${durationText(limits.growthWindowMs)} apart`,
      'Sweep again in a few seconds.',
    ),
  ];
}
