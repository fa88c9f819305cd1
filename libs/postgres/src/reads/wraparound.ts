import type { Read } from '@starr/kernel';
import { z } from 'zod';
import type { PostgresRequest } from '../postgres-request.ts';
import { rowsRead } from './rows-read.ts';

/** How old the oldest unfrozen transaction and multixact of a database are. */
export interface DatabaseAge {
  readonly database: string;
  readonly xidAge: number;
  readonly multixactAge: number;
  /** Autovacuum freezes where the age exceeds this. */
  readonly freezeMaxAge: number;
  readonly multixactFreezeMaxAge: number;
}

const rowSchema = z.object({
  database: z.string(),
  xid_age: z.number(),
  multixact_age: z.number(),
  freeze_max_age: z.number(),
  multixact_freeze_max_age: z.number(),
});

/** Every database counts, template0 too: the server stops for the oldest of them. Visible to everybody. */
export const wraparoundRead: Read<readonly DatabaseAge[], PostgresRequest> = rowsRead({
  id: 'postgres.wraparound',
  timeoutMs: 1000,
  maxRows: 200,
  row: rowSchema,
  sql: () => `
    SELECT datname::text AS database, age(datfrozenxid)::float8 AS xid_age, mxid_age(datminmxid)::float8 AS multixact_age,
           current_setting('autovacuum_freeze_max_age')::float8 AS freeze_max_age,
           current_setting('autovacuum_multixact_freeze_max_age')::float8 AS multixact_freeze_max_age
      FROM pg_database
     ORDER BY greatest(age(datfrozenxid), mxid_age(datminmxid)) DESC`,
  valueOf: (rows) =>
    rows.map((row) => ({
      database: row.database,
      xidAge: row.xid_age,
      multixactAge: row.multixact_age,
      freezeMaxAge: row.freeze_max_age,
      multixactFreezeMaxAge: row.multixact_freeze_max_age,
    })),
});
