import { STAGE_ROLES, type Stage } from '@starr/lab';
import type { Scenario } from '../scenario.ts';
import { startPlainDay, switchOn, wellAgain } from './plain-stage.ts';

/** A release asks for orders by their payment, and its index was forgotten: on a table of real size every checkout reads all of it. */
export const missingIndex: Scenario = {
  id: 'missing-index',
  title: 'a release asks a question that no index answers',
  kind: 'fault',
  needs: [],
  async play({ seeded, say, look, cure }) {
    const { stage, traffic } = await startPlainDay(seeded, { checkout: { poolMax: 8 } });
    try {
      // Large enough to be read for much longer than a healthy statement takes, also by an idle machine with parallel workers.
      const rows = seeded.int(900, 1100) * 1000;
      await grow(stage, rows);
      say(`orders has ${rows} rows`);
      await switchOn(stage, 'unindexed-look:3');
      await untilAsked(stage, 60);
      const sweep = await look(stage.services);
      const judged = await cure(stage.services, sweep, 'db.create-index');
      await wellAgain(traffic);
      return {
        truth: { causes: ['missing-index'], path: ['public.orders', 'payment_id'] },
        sweep,
        effect: { judged, truth: 'established' },
      };
    } finally {
      await stage.stop();
    }
  },
};

/** Orders of years, and an owner whom the acting role may act for. */
async function grow({ postgres }: Stage, rows: number): Promise<void> {
  const run = (sql: string) => postgres.query(sql, undefined, { database: 'orders' });
  await run(
    `CREATE ROLE orders_owner; GRANT orders_owner TO ${STAGE_ROLES.acting};
     GRANT USAGE, CREATE ON SCHEMA public TO orders_owner; ALTER TABLE orders OWNER TO orders_owner;
     SET session_replication_role = replica;
     INSERT INTO orders (customer_id, amount_cents, status, payment_id)
       SELECT 1 + n % 1000, 100, 'paid', md5(n::text) FROM generate_series(1, ${rows}) n`,
  );
  await run('VACUUM ANALYZE orders');
}

/** So often that it is no accident. */
async function untilAsked({ postgres }: Stage, times: number): Promise<void> {
  for (;;) {
    const [row] = await postgres.query(
      `SELECT coalesce(sum(calls), 0)::int AS calls FROM pg_stat_statements WHERE query LIKE 'SELECT id FROM orders WHERE payment_id%'`,
    );
    if (Number(row?.['calls']) >= times) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
