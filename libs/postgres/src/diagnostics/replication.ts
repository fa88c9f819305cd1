import {
  defineDiagnostic,
  durationText,
  windowed,
  type Finding,
  type Limits,
  type Look,
  type Measurement,
  type Pair,
  type Severity,
} from '@starr/kernel';
import { serverEntity } from '../entities.ts';
import { replicationRead, type Replication, type ReplicationSlot } from '../reads/replication.ts';
import { bytesText } from './bytes-text.ts';
import { standbyFindings } from './standby-findings.ts';

const MOST_FINDINGS = 5;
/** Two samples closer than this tell nothing of growth. */
const GROWTH_WINDOW_MS = 5000;

const thresholds = {
  retainedWarnBytes: {
    value: 1024 ** 3,
    unit: 'bytes',
    says: 'WAL kept for one slot that is a warning; a slot that is merely inactive is none',
    source: 'pganalyze/pganalyze-docs util/checks/index.ts (lag 1024 MB)',
  },
  retainedCriticalBytes: {
    value: 10 * 1024 ** 3,
    unit: 'bytes',
    says: 'WAL kept for one slot that is critical: a quarter of the disk; set it to that of your disk, which the server does not tell',
    source: 'paradedb/charts PR #256 (25 % of the disk), of a disk of 40 GiB',
  },
  lagWarnBytes: {
    value: 100 * 1024 ** 2,
    unit: 'bytes',
    says: 'WAL that a standby has not replayed and that is a warning, when it has lasted for lagWarnMs too',
    source: 'pganalyze/pganalyze-docs util/checks/index.ts (lag 100 / 1024 MB)',
  },
  lagCriticalBytes: {
    value: 1024 ** 3,
    unit: 'bytes',
    says: 'WAL that a standby has not replayed and that is critical',
    source: 'pganalyze/pganalyze-docs util/checks/index.ts (lag 100 / 1024 MB)',
  },
  lagWarnMs: {
    value: 30_000,
    unit: 'ms',
    says: 'replay lag of a standby that is a warning',
    source: 'coroot/coroot model/check.go (replication lag 30 s)',
  },
} as const;

type LagLimits = Limits<typeof thresholds>;

export const replication = defineDiagnostic({
  id: 'db.replication',
  title: 'Replication that lags, and slots that keep WAL',
  explains:
    'Looks at each replication slot: how much WAL the server keeps for it, whether somebody reads it, and whether it is about to be lost or is lost (wal_status). WAL kept without end fills the disk, and the server stops. ' +
    'A slot is not a finding for being inactive, but for what it costs. Standbys are judged by what they have not replayed; commits that wait for a synchronous one that is not there are critical. ' +
    'By hand: bring the reader back; if nobody will come back for it, pg_drop_replication_slot; bound it with max_slot_wal_keep_size.',
  replaces: [
    'SELECT slot_name, active, wal_status, pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)) FROM pg_replication_slots;',
    'SELECT application_name, state, replay_lag, pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) FROM pg_stat_replication;',
  ],
  reads: { replication: windowed(replicationRead) },
  thresholds,
  measures: {
    slots: { unit: 'count', says: 'replication slots' },
    retainedBytes: {
      unit: 'bytes',
      says: 'WAL kept for the slot that keeps most; 0 without slots',
    },
    retainedBytesPerMinute: { unit: 'per-minute', says: 'growth of it between two samples' },
    lagBytes: {
      unit: 'bytes',
      says: 'WAL that the slowest standby has not replayed; 0 without standbys',
    },
    synchronousStandbys: {
      unit: 'count',
      says: 'standbys that commits wait for and that are connected',
    },
    replayLagMs: {
      unit: 'ms',
      says: 'replay lag of the slowest standby, or of this server when it is one',
    },
  },
  judge: ({ replication: pair }, limits, look) => {
    const { slots } = pair.after;
    return {
      measured: measurementsOf(pair, limits, look),
      findings: [
        ...slots.flatMap((slot) => slotFinding(slot, pair, limits, look)),
        ...standbyFindings(pair, limits, look),
      ].slice(0, MOST_FINDINGS),
    };
  },
});

function measurementsOf(pair: Pair<Replication>, limits: LagLimits, look: Look): Measurement[] {
  const about = serverEntity(look.target);
  const { slots, standbys, replayLagMs } = pair.after;
  const most = slots.toSorted((a, b) => b.retainedBytes - a.retainedBytes)[0];
  return [
    { name: 'slots', about, value: slots.length },
    {
      name: 'retainedBytes',
      about,
      value: most?.retainedBytes ?? 0,
      limit: limits.retainedWarnBytes,
    },
    {
      name: 'retainedBytesPerMinute',
      about,
      value: most === undefined ? 0 : (growthOf(most, pair) ?? 0),
    },
    {
      name: 'lagBytes',
      about,
      value: Math.max(0, ...standbys.map(({ lagBytes }) => lagBytes)),
      limit: limits.lagWarnBytes,
    },
    {
      name: 'replayLagMs',
      about,
      value: Math.max(replayLagMs, ...standbys.map(({ lagMs }) => lagMs)),
      limit: limits.lagWarnMs,
    },
  ];
}

/** Bytes a minute; absent: the slot was not there before. */
function growthOf(
  { name, retainedBytes }: ReplicationSlot,
  { before, elapsedMs }: Pair<Replication>,
): number | undefined {
  const then = before.slots.find((slot) => slot.name === name);
  if (then === undefined || elapsedMs < GROWTH_WINDOW_MS) return undefined;
  return ((retainedBytes - then.retainedBytes) * 60_000) / elapsedMs;
}

function slotFinding(
  slot: ReplicationSlot,
  pair: Pair<Replication>,
  limits: LagLimits,
  look: Look,
): Finding[] {
  const severity = slotSeverity(slot, limits);
  if (severity === undefined) return [];
  const about = serverEntity(look.target);
  const growth = growthOf(slot, pair) ?? 0;
  return [
    {
      severity,
      about,
      says: `${slotInWords(slot)} ${fateOf(slot)}${growth > 0 ? `, ${bytesText(growth)} more a minute` : ''}`,
      ...(slot.inactiveMs !== undefined && {
        since: new Date(look.now.getTime() - slot.inactiveMs),
      }),
      measured: [
        {
          name: 'retainedBytes',
          about,
          value: slot.retainedBytes,
          limit: severity === 'critical' ? limits.retainedCriticalBytes : limits.retainedWarnBytes,
        },
        { name: 'retainedBytesPerMinute', about, value: growth },
      ],
      rows: [
        {
          slot: slot.name,
          kind: slot.kind,
          ...(slot.database !== '' && { database: slot.database }),
          active: slot.active,
          walStatus: slot.walStatus,
          retainedBytes: slot.retainedBytes,
          ...(slot.safeBytes !== undefined && { safeBytes: slot.safeBytes }),
          ...(slot.inactiveMs !== undefined && { inactive: { durationMs: slot.inactiveMs } }),
        },
      ],
    },
  ];
}

function slotSeverity(
  { walStatus, retainedBytes }: ReplicationSlot,
  limits: LagLimits,
): Severity | undefined {
  if (walStatus === 'unreserved' || walStatus === 'lost') return 'critical';
  if (retainedBytes >= limits.retainedCriticalBytes) return 'critical';
  return retainedBytes >= limits.retainedWarnBytes ? 'warning' : undefined;
}

function slotInWords({ name, kind, active, inactiveMs }: ReplicationSlot): string {
  if (active) return `the ${kind} replication slot ${name}`;
  const long = inactiveMs === undefined ? '' : `, read by nobody for ${durationText(inactiveMs)},`;
  return `the inactive ${kind} replication slot ${name}${long}`;
}

function fateOf({ walStatus, retainedBytes, safeBytes }: ReplicationSlot): string {
  if (walStatus === 'lost') return 'is lost: its reader must be built anew';
  const keeps = `keeps ${bytesText(retainedBytes)} of WAL`;
  if (walStatus === 'unreserved') return `${keeps} and is lost at the next checkpoint`;
  return safeBytes === undefined
    ? `${keeps}, without a limit: it fills the disk`
    : `${keeps} and is lost after ${bytesText(Math.max(0, safeBytes))} more`;
}
