import { defineDiagnostic, windowed } from '@starr/kernel';
import { databaseEntity, serverEntity } from '../entities.ts';
import { databaseActivityRead } from '../reads/database-activity.ts';
import { ACTIVITY_WINDOW, activityDeltas, tooClose } from './activity-window.ts';
import { bytesText } from './bytes-text.ts';

const thresholds = {
  ...ACTIVITY_WINDOW,
  tempBytesPerMinute: {
    value: 1024 ** 3,
    unit: 'per-minute',
    says: 'bytes written to temporary files that are a warning',
    source: 'Starr: 17 MB a second, a tenth of what a disk of the cloud writes',
  },
  criticalBytesPerMinute: {
    value: 10 * 1024 ** 3,
    unit: 'per-minute',
    says: 'bytes written to temporary files that are critical',
    source: 'Starr: 170 MB a second, all of what a disk of the cloud writes',
  },
} as const;

export const tempFiles = defineDiagnostic({
  id: 'db.temp-files',
  title: 'Sorts and hashes that spill to disk',
  explains:
    'Measures what each database writes to temporary files between two samples: sorts, hashes and materialised results that do not fit into work_mem. It fills the disk and slows everybody. ' +
    'By hand: find the statement (db.slow-statements, pg_stat_statements.temp_blks_written), bound it with temp_file_limit, or raise work_mem for its role alone.',
  replaces: ['SELECT datname, temp_files, pg_size_pretty(temp_bytes) FROM pg_stat_database;'],
  reads: { activity: windowed(databaseActivityRead) },
  thresholds,
  measures: {
    tempBytesPerMinute: {
      unit: 'per-minute',
      says: 'bytes written to temporary files within the window',
    },
    tempFilesPerMinute: { unit: 'per-minute', says: 'temporary files within the window' },
  },
  judge: ({ activity }, limits, look) => {
    const blind = tooClose(activity.elapsedMs, limits.windowMs);
    const deltas = blind.length > 0 ? [] : activityDeltas(activity);
    const rates = deltas.map(({ database, tempBytes, tempFiles: files, minutes }) => ({
      database,
      bytes: tempBytes / minutes,
      files: files / minutes,
    }));
    const about = serverEntity(look.target);
    return {
      measured: [
        {
          name: 'tempBytesPerMinute',
          about,
          value: rates.reduce((sum, { bytes }) => sum + bytes, 0),
          limit: limits.tempBytesPerMinute,
        },
        {
          name: 'tempFilesPerMinute',
          about,
          value: rates.reduce((sum, { files }) => sum + files, 0),
        },
      ],
      findings: rates
        .filter(({ bytes }) => bytes >= limits.tempBytesPerMinute)
        .map(({ database, bytes, files }) => {
          const of = databaseEntity(look.target, database);
          return {
            severity: bytes >= limits.criticalBytesPerMinute ? 'critical' : 'warning',
            about: of,
            says: `statements of the database ${database} write ${bytesText(bytes)} a minute to ${Math.round(files)} temporary files: they do not fit into work_mem`,
            measured: [
              {
                name: 'tempBytesPerMinute',
                about: of,
                value: bytes,
                limit: limits.tempBytesPerMinute,
              },
            ],
          };
        }),
      blind,
    };
  },
});
