import type { Stage } from '@starr/lab';
import type { Scenario } from '../scenario.ts';
import { passTime, startPlainDay } from './plain-stage.ts';

/** What makes a transaction that nobody ends worth a night: it has been open for a minute, and dead rows pile up behind it. */
const FORGOTTEN_MS = 61_000;

/** A process of checkout began a report on a snapshot and never ended it; autovacuum comes, and cleans nothing. */
export const forgottenTransaction: Scenario = {
  id: 'forgotten-transaction',
  title: 'a forgotten transaction keeps vacuum from cleaning, and nobody feels it yet',
  kind: 'fault',
  needs: [],
  async play({ seeded, say, look, cure }) {
    const { stage } = await startPlainDay(seeded);
    try {
      const [forgetful] = stage.shop.checkouts;
      await forgetful?.switchFaults({ on: 'forgotten-transaction' });
      const pid = await pidOfReport(stage);
      const forgottenAtMs = performance.now();
      const rows = seeded.int(15_000, 25_000);
      await pileUp(stage, rows);
      say(`${rows} dead rows wait behind pid ${pid}`);
      const leftMs = Math.max(0, FORGOTTEN_MS - (performance.now() - forgottenAtMs));
      await passTime(seeded, leftMs, leftMs + 1000);
      const sweep = await look(stage.services);
      const judged = await cure(stage.services, sweep, 'db.terminate-session');
      return {
        truth: {
          causes: ['forgotten-transaction'],
          path: [`pid ${pid}`, 'service checkout'],
        },
        sweep,
        effect: { judged, truth: 'established' },
      };
    } finally {
      await stage.stop();
    }
  },
};

async function pidOfReport({ postgres }: Stage): Promise<number> {
  for (;;) {
    const [row] = await postgres.query(
      `SELECT pid FROM pg_stat_activity
        WHERE application_name = 'checkout' AND state = 'idle in transaction' AND query LIKE '%FROM customers'`,
    );
    if (row !== undefined) return Number(row['pid']);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A change of every order, as a migration of data makes it. */
async function pileUp({ postgres }: Stage, rows: number): Promise<void> {
  const run = (sql: string) => postgres.query(sql, undefined, { database: 'orders' });
  await run(
    `INSERT INTO orders (customer_id, amount_cents) SELECT 1 + n % 1000, 100 FROM generate_series(1, ${rows}) n`,
  );
  await run(`UPDATE orders SET amount_cents = amount_cents + 1`);
  await run('VACUUM orders');
}
