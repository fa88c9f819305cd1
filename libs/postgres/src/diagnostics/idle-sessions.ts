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
import { refusalsRead } from '../reads/refusals.ts';
import { LONG_IDLE_MS, sessionGroupsRead, type SessionGroup } from '../reads/session-groups.ts';
import { slotsRead } from '../reads/slots.ts';
import { SLOT_THRESHOLDS, slotPressure } from './slot-pressure.ts';

const MOST_FINDINGS = 3;

const thresholds = {
  ...SLOT_THRESHOLDS,
  idleShare: {
    value: 0.2,
    unit: 'ratio',
    says: 'share of the usable slots that one application holds with sessions idle for long',
    source: 'Starr: one application that does nothing with a fifth of the slots',
  },
} as const;

type IdleLimits = Limits<typeof thresholds>;

export const idleSessions = defineDiagnostic({
  id: 'db.idle-sessions',
  title: 'Sessions that hold slots and do nothing',
  explains:
    `Counts sessions that have been idle for ${durationText(LONG_IDLE_MS)} and more, by application. ` +
    'Idle sessions are what a pool is made of: they are a finding only while the slots are under pressure (db.connection-use). ' +
    'By hand: lower the pool of that application, set idle_session_timeout for its role (14 and newer), or end the longest idle.',
  replaces: [
    "SELECT application_name, count(*), max(now() - state_change) FROM pg_stat_activity WHERE state = 'idle' GROUP BY 1 ORDER BY 2 DESC;",
  ],
  reads: { slots: windowed(slotsRead), groups: sessionGroupsRead, refusals: refusalsRead },
  thresholds,
  measures: {
    idleSessions: { unit: 'count', says: 'idle client backends' },
    longIdleSessions: {
      unit: 'count',
      says: `client backends idle for ${durationText(LONG_IDLE_MS)} and more`,
    },
    longestIdleMs: { unit: 'ms', says: 'the longest idle of them; 0 when none is idle' },
  },
  judge: ({ slots, groups, refusals }, limits, look) => {
    const pressure = slotPressure(slots, refusals, limits, look);
    const applications = byApplication(groups.groups);
    return {
      measured: measurementsOf(serverEntity(look.target), groups.groups),
      findings:
        pressure.level === 'none'
          ? []
          : applications
              .filter(({ longIdle }) => longIdle >= slots.after.usable * limits.idleShare)
              .slice(0, MOST_FINDINGS)
              .map((each) => findingFrom(each, slots.after.usable, limits, look)),
      blind: groups.truncated
        ? [blindSpot('truncated', 'the smallest groups of sessions were left out')]
        : [],
    };
  },
});

interface ApplicationIdle {
  readonly application: string;
  readonly longIdle: number;
  readonly groups: readonly SessionGroup[];
}

function byApplication(groups: readonly SessionGroup[]): ApplicationIdle[] {
  const all = Map.groupBy(groups, ({ application }) => application);
  return [...all]
    .map(([application, own]) => ({
      application,
      groups: own,
      longIdle: own.reduce((sum, { idleLong }) => sum + idleLong, 0),
    }))
    .sort((a, b) => b.longIdle - a.longIdle);
}

function findingFrom(
  { application, longIdle, groups }: ApplicationIdle,
  usable: number,
  limits: IdleLimits,
  look: Look,
): Finding {
  const about = applicationEntity(look.target, application);
  const idle = groups.filter(({ idleLong }) => idleLong > 0);
  const longestMs = Math.max(...idle.map(({ longestIdleMs }) => longestIdleMs));
  return {
    severity: 'warning',
    about,
    says: `${about.name} holds ${longIdle} of ${usable} usable slots with sessions idle for up to ${durationText(longestMs)}, while slots are short`,
    measured: [
      { name: 'longIdleSessions', about, value: longIdle, limit: usable * limits.idleShare },
      { name: 'longestIdleMs', about, value: longestMs },
    ],
    rows: idle.map((group) => ({
      application,
      ...(group.address !== undefined && { address: group.address }),
      sessions: group.sessions,
      idle: group.idle,
      longIdle: group.idleLong,
      longestIdle: { durationMs: group.longestIdleMs },
    })),
    involves: idle.flatMap(({ address }) => [
      clientEntity(look.target, application, address),
      ...(address === undefined ? [] : [addressEntity(address)]),
    ]),
  };
}

function measurementsOf(about: Entity, groups: readonly SessionGroup[]): Measurement[] {
  const sum = (count: (group: SessionGroup) => number) =>
    groups.reduce((total, group) => total + count(group), 0);
  return [
    { name: 'idleSessions', about, value: sum(({ idle }) => idle) },
    { name: 'longIdleSessions', about, value: sum(({ idleLong }) => idleLong) },
    {
      name: 'longestIdleMs',
      about,
      value: Math.max(0, ...groups.map(({ longestIdleMs }) => longestIdleMs)),
    },
  ];
}
