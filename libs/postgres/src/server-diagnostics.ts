import type { AnyDiagnostic } from '@starr/kernel';
import { checkpoints } from './diagnostics/checkpoints.ts';
import { deadlocks } from './diagnostics/deadlocks.ts';
import { errorTable } from './diagnostics/error-table.ts';
import { invalidIndexes } from './diagnostics/invalid-indexes.ts';
import { missingIndexes } from './diagnostics/missing-indexes.ts';
import { redundantIndexes } from './diagnostics/redundant-indexes.ts';
import { replication } from './diagnostics/replication.ts';
import { rollbacks } from './diagnostics/rollbacks.ts';
import { sequences } from './diagnostics/sequences.ts';
import { settings } from './diagnostics/settings.ts';
import { slowStatements } from './diagnostics/slow-statements.ts';
import { staleStatistics } from './diagnostics/stale-statistics.ts';
import { tempFiles } from './diagnostics/temp-files.ts';
import { autovacuum } from './diagnostics/autovacuum.ts';
import { wraparound } from './diagnostics/wraparound.ts';
import { xminHorizon } from './diagnostics/xmin-horizon.ts';
import type { PostgresRequest } from './postgres-request.ts';

/** What is asked of statements, tables and indexes, vacuum and the server itself; sessions and locks stand in the catalog. */
export const serverDiagnostics: readonly AnyDiagnostic<PostgresRequest>[] = [
  checkpoints,
  deadlocks,
  errorTable,
  invalidIndexes,
  missingIndexes,
  redundantIndexes,
  replication,
  rollbacks,
  sequences,
  settings,
  slowStatements,
  staleStatistics,
  tempFiles,
  autovacuum,
  wraparound,
  xminHorizon,
];
