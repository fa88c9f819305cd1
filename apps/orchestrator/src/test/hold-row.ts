import type { LabPostgres } from '@starr/lab';
import { untilTrue } from './collect.ts';

/** Somebody else's transaction that holds a row: whoever wants it stands still at that very statement. */
export interface RowHold {
  /** Until a session waits for what is held. */
  somebodyWaits(): Promise<void>;
  /** Idempotent. */
  letGo(): Promise<void>;
}

const HELD_FOR_S = 60;

export async function holdRow(
  server: LabPostgres,
  database: string,
  lockingSql: string,
): Promise<RowHold> {
  const as = { database };
  const mark = `held_${Math.random().toString(36).slice(2)}`;
  const holding = server
    .query(`BEGIN; ${lockingSql}; SELECT pg_sleep(${HELD_FOR_S}) AS ${mark}`, undefined, as)
    .catch(() => undefined); // ended from outside
  const find = `SELECT pid FROM pg_stat_activity WHERE query LIKE '%${mark}%' AND pid <> pg_backend_pid()`;
  await untilTrue(async () => {
    const rows = await server.query(`${find} AND wait_event = 'PgSleep'`, undefined, as);
    return rows.length === 1;
  });
  return {
    somebodyWaits: () =>
      untilTrue(async () => {
        const rows = await server.query(
          `SELECT 1 FROM pg_stat_activity a WHERE pg_blocking_pids(a.pid) && ARRAY(${find})`,
          undefined,
          as,
        );
        return rows.length > 0;
      }),
    letGo: async () => {
      await server.query(`SELECT pg_terminate_backend(pid) FROM (${find}) held`, undefined, as);
      await holding;
    },
  };
}
