import { defineDiagnostic, windowed } from '@starr/kernel';
import { databaseEntity, serverEntity } from '../entities.ts';
import { databaseActivityRead } from '../reads/database-activity.ts';
import {
  ACTIVITY_WINDOW,
  activityDeltas,
  tooClose,
  type DatabaseDelta,
} from './activity-window.ts';

const thresholds = {
  ...ACTIVITY_WINDOW,
  rollbackRatio: {
    value: 0.1,
    unit: 'ratio',
    says: 'rollbacks of all transactions of a database that are a warning',
    source:
      'prometheus-community/postgres_exporter postgres_mixin/alerts/postgres.libsonnet (10 %)',
  },
  criticalRatio: {
    value: 0.5,
    unit: 'ratio',
    says: 'rollbacks of all transactions that are critical',
    source: 'Starr: more fails than succeeds',
  },
  transactions: {
    value: 100,
    unit: 'count',
    says: 'transactions within the window, below which nothing is concluded',
    source: 'Starr: ten failures of a hundred are no accident',
  },
} as const;

export const rollbacks = defineDiagnostic({
  id: 'db.rollbacks',
  title: 'Transactions that fail',
  explains:
    'Compares the transactions of each database that were rolled back with all of them, between two samples: statements that fail, constraints, serialization failures, timeouts, or an application that rolls back what it only read. ' +
    'By hand: the server’s log has the errors; look at what was released since.',
  replaces: ['SELECT datname, xact_commit, xact_rollback FROM pg_stat_database;'],
  reads: { activity: windowed(databaseActivityRead) },
  thresholds,
  measures: {
    rollbackRatio: {
      unit: 'ratio',
      says: 'rollbacks of all transactions within the window; 0 when there were none',
    },
    transactionsPerMinute: { unit: 'per-minute', says: 'transactions within the window' },
  },
  judge: ({ activity }, limits, look) => {
    const blind = tooClose(activity.elapsedMs, limits.windowMs);
    const deltas = blind.length > 0 ? [] : activityDeltas(activity);
    const about = serverEntity(look.target);
    const all = deltas.reduce((sum, delta) => sum + total(delta), 0);
    const failed = deltas.reduce((sum, delta) => sum + delta.rollbacks, 0);
    return {
      measured: [
        {
          name: 'rollbackRatio',
          about,
          value: all === 0 ? 0 : failed / all,
          limit: limits.rollbackRatio,
        },
        { name: 'transactionsPerMinute', about, value: all / (deltas[0]?.minutes ?? 1) },
      ],
      findings: deltas
        .filter(
          (delta) => total(delta) >= limits.transactions && ratioOf(delta) >= limits.rollbackRatio,
        )
        .map((delta) => {
          const database = databaseEntity(look.target, delta.database);
          return {
            severity: ratioOf(delta) >= limits.criticalRatio ? 'critical' : 'warning',
            about: database,
            says: `${Math.round(ratioOf(delta) * 100)} % of ${total(delta)} transactions of the database ${delta.database} were rolled back`,
            measured: [
              {
                name: 'rollbackRatio',
                about: database,
                value: ratioOf(delta),
                limit: limits.rollbackRatio,
              },
            ],
          };
        }),
      blind,
    };
  },
});

function total({ commits, rollbacks: failed }: DatabaseDelta): number {
  return commits + failed;
}

function ratioOf(delta: DatabaseDelta): number {
  return total(delta) === 0 ? 0 : delta.rollbacks / total(delta);
}
