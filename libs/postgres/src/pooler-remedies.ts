import type { Catalog } from '@starr/kernel';
import type { PostgresAct } from './postgres-act.ts';
import type { PostgresRequest } from './postgres-request.ts';
import { pausePgbouncer } from './remedies/pause-pgbouncer.ts';
import { resizePgbouncerPool } from './remedies/resize-pgbouncer-pool.ts';
import { resumePgbouncer } from './remedies/resume-pgbouncer.ts';

/** What can be done to the poolers before a server. */
export const poolerRemedies: Catalog<PostgresRequest, PostgresAct>['remedies'] = [
  pausePgbouncer,
  resizePgbouncerPool,
  resumePgbouncer,
];
