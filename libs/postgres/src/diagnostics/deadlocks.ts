import { defineDiagnostic, windowed } from '@starr/kernel';
import { databaseEntity, serverEntity } from '../entities.ts';
import { databaseActivityRead } from '../reads/database-activity.ts';
import { ACTIVITY_WINDOW, activityDeltas, tooClose } from './activity-window.ts';

const thresholds = {
  ...ACTIVITY_WINDOW,
  deadlocksPerMinute: {
    value: 5,
    unit: 'per-minute',
    says: 'deadlocks of a database that are a warning',
    source:
      'prometheus-community/postgres_exporter postgres_mixin/alerts/postgres.libsonnet (5 a minute)',
  },
  criticalPerMinute: {
    value: 60,
    unit: 'per-minute',
    says: 'deadlocks of a database that are critical',
    source: 'Starr: one a second, each of which held others for deadlock_timeout',
  },
} as const;

export const deadlocks = defineDiagnostic({
  id: 'db.deadlocks',
  title: 'Transactions that wait for each other',
  explains:
    'Counts the deadlocks of each database between two samples. The server ends one of the two transactions after deadlock_timeout; the application sees SQLSTATE 40P01. ' +
    'By hand: the server’s log names both statements; take locks in the same order everywhere, and retry the transaction that was ended.',
  replaces: ['SELECT datname, deadlocks FROM pg_stat_database ORDER BY deadlocks DESC;'],
  reads: { activity: windowed(databaseActivityRead) },
  thresholds,
  measures: {
    deadlocksPerMinute: {
      unit: 'per-minute',
      says: 'deadlocks within the window; on the server: of all databases',
    },
  },
  judge: ({ activity }, limits, look) => {
    const blind = tooClose(activity.elapsedMs, limits.windowMs);
    const deltas = blind.length > 0 ? [] : activityDeltas(activity);
    const rates = deltas.map((delta) => ({ ...delta, rate: delta.deadlocks / delta.minutes }));
    return {
      measured: [
        {
          name: 'deadlocksPerMinute',
          about: serverEntity(look.target),
          value: rates.reduce((sum, { rate }) => sum + rate, 0),
          limit: limits.deadlocksPerMinute,
        },
      ],
      findings: rates
        .filter(({ rate }) => rate >= limits.deadlocksPerMinute)
        .map(({ database, deadlocks: count, rate }) => {
          const about = databaseEntity(look.target, database);
          return {
            severity: rate >= limits.criticalPerMinute ? 'critical' : 'warning',
            about,
            says: `${count} transactions of the database ${database} were ended since they waited for each other, ${rate.toFixed(1)} a minute`,
            measured: [
              {
                name: 'deadlocksPerMinute',
                about,
                value: rate,
                limit: limits.deadlocksPerMinute,
              },
            ],
          };
        }),
      blind,
    };
  },
});
