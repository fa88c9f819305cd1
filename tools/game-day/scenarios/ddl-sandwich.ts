import { openSession, type Stage } from '@starr/lab';
import type { Scenario } from '../scenario.ts';
import { passTime, startPlainDay, wellAgain } from './plain-stage.ts';

/** Somebody looks at the orders and goes for coffee; a migration waits behind that, and all users behind the migration. */
export const ddlSandwich: Scenario = {
  id: 'ddl-sandwich',
  title: 'a change of a table waits behind an idle transaction, and everybody behind the change',
  kind: 'fault',
  needs: [],
  async play({ seeded, say, look, cure }) {
    const { stage, traffic } = await startPlainDay(seeded, {
      maxConnections: seeded.int(80, 110),
      checkout: { poolMax: seeded.int(6, 10) },
    });
    const analyst = seeded.pick(['dashboards', 'reports', 'ad-hoc']);
    try {
      await giveRoles(stage, analyst);
      await using reader = await openSession(stage.postgres, {
        user: analyst,
        database: 'orders',
        applicationName: analyst,
      });
      await reader.query('BEGIN');
      await reader.query('SELECT count(*) FROM orders');
      await using migration = await openSession(stage.postgres, {
        user: 'migrator',
        database: 'orders',
        applicationName: 'migrate-orders',
      });
      void migration.query('ALTER TABLE orders ADD COLUMN note text').catch(() => undefined);
      await traffic.untilFelt({ atMost: 0.5, windows: 2, withinMs: 20_000 });
      say('users wait');
      // A queue of a few seconds is every migration's.
      await passTime(seeded, 6000, 8000);
      const sweep = await look(stage.services);
      const judged = await cure(stage.services, sweep, 'db.cancel-query');
      await wellAgain(traffic);
      return {
        truth: {
          causes: ['ddl-sandwich'],
          path: [`pid ${migration.pid}`, `pid ${reader.pid}`, 'checkout'],
        },
        sweep,
        effect: { judged, truth: 'established' },
      };
    } finally {
      await stage.stop();
    }
  },
};

/** No superusers: those nobody may end. */
async function giveRoles({ postgres }: Stage, analyst: string): Promise<void> {
  await postgres.query(
    `CREATE ROLE "${analyst}" LOGIN; CREATE ROLE migrator LOGIN;
     GRANT SELECT ON orders TO "${analyst}"; GRANT CREATE ON SCHEMA public TO migrator; ALTER TABLE orders OWNER TO migrator`,
    undefined,
    { database: 'orders' },
  );
}
