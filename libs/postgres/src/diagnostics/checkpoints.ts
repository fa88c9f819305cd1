import { defineDiagnostic, windowed, type Pair } from '@starr/kernel';
import { serverEntity } from '../entities.ts';
import { checkpointsRead, type Checkpoints } from '../reads/checkpoints.ts';
import { ACTIVITY_WINDOW, tooClose } from './activity-window.ts';
import { bytesText } from './bytes-text.ts';

const thresholds = {
  ...ACTIVITY_WINDOW,
  requestedPerMinute: {
    value: 1,
    unit: 'per-minute',
    says: 'checkpoints that WAL forced, within the window, that are a warning',
    source: 'PostgreSQL checkpoint_warning (30 s apart; twice as seldom is bad enough)',
  },
  criticalPerMinute: {
    value: 4,
    unit: 'per-minute',
    says: 'checkpoints that WAL forced that are critical',
    source: 'Starr: one does not end before the next begins',
  },
  requested: {
    value: 2,
    unit: 'count',
    says: 'forced checkpoints within the window, below which nothing is concluded',
    source: 'Starr: one is somebody’s CHECKPOINT or base backup',
  },
} as const;

export const checkpoints = defineDiagnostic({
  id: 'db.checkpoints',
  title: 'Checkpoints that WAL forces',
  explains:
    'Counts the checkpoints between two samples that did not wait for checkpoint_timeout, since max_wal_size was reached: each writes all dirty pages, and after each every page is written to WAL whole. ' +
    'By hand: find who writes (a bulk load, a rewrite of a table), and raise max_wal_size (a reload is enough) as far as the disk allows.',
  replaces: [
    'SELECT checkpoints_timed, checkpoints_req FROM pg_stat_bgwriter;',
    'SELECT num_timed, num_requested FROM pg_stat_checkpointer;',
  ],
  reads: { checkpoints: windowed(checkpointsRead) },
  thresholds,
  measures: {
    requestedPerMinute: { unit: 'per-minute', says: 'forced checkpoints within the window' },
    walBytesPerMinute: { unit: 'per-minute', says: 'WAL written within the window (14 and newer)' },
    checkpointWriteMs: {
      unit: 'ms',
      says: 'time that checkpoints wrote and synced within the window',
    },
  },
  judge: ({ checkpoints: pair }, limits, look) => {
    const about = serverEntity(look.target);
    const blind = tooClose(pair.elapsedMs, limits.windowMs);
    const minutes = Math.max(1, pair.elapsedMs) / 60_000;
    const requested = blind.length > 0 ? 0 : grown(pair, 'requested');
    const rate = requested / minutes;
    const wal = walOf(pair) / minutes;
    const isBad = requested >= limits.requested && rate >= limits.requestedPerMinute;
    const measured = [
      { name: 'requestedPerMinute', about, value: rate, limit: limits.requestedPerMinute },
      ...(pair.after.walBytes === undefined
        ? []
        : [{ name: 'walBytesPerMinute', about, value: blind.length > 0 ? 0 : wal }]),
      { name: 'checkpointWriteMs', about, value: grown(pair, 'writeMs') + grown(pair, 'syncMs') },
    ];
    return {
      measured,
      findings: isBad
        ? [
            {
              severity: rate >= limits.criticalPerMinute ? 'critical' : 'warning',
              about,
              says:
                `${requested} checkpoints were forced, ${rate.toFixed(1)} a minute: WAL reaches max_wal_size (${bytesText(pair.after.maxWalBytes)}) long before checkpoint_timeout` +
                (wal > 0 ? `, ${bytesText(wal)} a minute` : ''),
              measured,
            },
          ]
        : [],
      blind,
    };
  },
});

/** Counters that went down were reset, and count from there. */
function grown(
  { before, after }: Pair<Checkpoints>,
  counter: 'requested' | 'writeMs' | 'syncMs',
): number {
  return after[counter] >= before[counter] ? after[counter] - before[counter] : after[counter];
}

function walOf({ before, after }: Pair<Checkpoints>): number {
  return Math.max(0, (after.walBytes ?? 0) - (before.walBytes ?? 0));
}
