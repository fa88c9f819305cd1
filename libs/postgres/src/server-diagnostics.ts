import type { AnyDiagnostic } from '@starr/kernel';
import { invalidIndexes } from './diagnostics/invalid-indexes.ts';
import { missingIndexes } from './diagnostics/missing-indexes.ts';
import { redundantIndexes } from './diagnostics/redundant-indexes.ts';
import { replication } from './diagnostics/replication.ts';
import { slowStatements } from './diagnostics/slow-statements.ts';
import { staleStatistics } from './diagnostics/stale-statistics.ts';
import { vacuum } from './diagnostics/vacuum.ts';
import { wraparound } from './diagnostics/wraparound.ts';
import { xminHorizon } from './diagnostics/xmin-horizon.ts';
import type { PostgresRequest } from './postgres-request.ts';

/** What is asked of statements, tables and indexes, vacuum and the server itself; sessions and locks stand in the catalog. */
export const serverDiagnostics: readonly AnyDiagnostic<PostgresRequest>[] = [
  invalidIndexes,
  missingIndexes,
  redundantIndexes,
  replication,
  slowStatements,
  staleStatistics,
  vacuum,
  wraparound,
  xminHorizon,
];
