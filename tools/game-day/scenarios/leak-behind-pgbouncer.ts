import { waitUntil, type Stage } from '@starr/lab';
import type { Scenario } from '../scenario.ts';
import { startPlainDay } from './plain-stage.ts';

/**
 * The shop comes through a PgBouncer in session mode, so that the database sees one address and backends that serve one
 * client after another; the pool runs dry while the database has slots left. Of several processes one leaks, and starves
 * the others: which one, the pooler alone knows.
 */
export const leakBehindPgbouncer: Scenario = {
  id: 'leak-behind-pgbouncer',
  title: 'one of several processes leaks behind PgBouncer',
  kind: 'fault',
  needs: ['pgbouncer'],
  async play({ seeded, say, look }) {
    const { stage, traffic } = await startPlainDay(seeded, {
      pooler: { poolMode: 'session', poolSize: seeded.int(18, 24) },
    });
    try {
      const [first, ...others] = stage.shop.checkouts;
      if (first === undefined) throw new Error('no process of checkout');
      const sick = seeded.pick([first, ...others]);
      await sick.switchFaults({ on: `leak-connections:${seeded.int(2, 4)}` });
      await traffic.untilFelt({ atMost: 0.9, withinMs: 60_000 });
      await untilPoolIsDry(stage);
      say(`users feel the leak of ${sick.address}; all that the database sees is the pooler`);
      const sweep = await look(stage.services);
      return {
        truth: {
          causes: ['leak-behind-pgbouncer'],
          path: [`checkout@${sick.address}`, 'pooler-pool bouncer/orders/checkout'],
        },
        sweep,
      };
    } finally {
      await stage.stop();
    }
  },
};

async function untilPoolIsDry({ pooler }: Stage): Promise<void> {
  await waitUntil(
    async () => {
      const rows = (await pooler?.console('SHOW POOLS')) ?? [];
      const waits = rows.some((row) => row['user'] === 'checkout' && Number(row['maxwait']) >= 1);
      return waits || undefined;
    },
    { what: 'clients to wait for the pool of checkout', withinMs: 40_000 },
  );
}
