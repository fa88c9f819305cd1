import { STAGE_ROLES, type Stage } from '@starr/lab';
import type { Scenario } from '../scenario.ts';
import { passTime, startPlainDay, wellAgain } from './plain-stage.ts';

/** A limit that was set when there were fewer processes; after a reconnect one of them finds no room, on an empty server. */
export const roleLimit: Scenario = {
  id: 'role-limit',
  title: 'a role is turned away at its own limit while the server is nearly empty',
  kind: 'fault',
  needs: [],
  async play({ seeded, say, look, cure }) {
    const count = seeded.int(2, 3);
    const { stage, traffic } = await startPlainDay(seeded, {
      maxConnections: seeded.int(80, 110),
      checkout: { count },
    });
    try {
      await limitCheckout(stage, count - 1);
      await traffic.untilFelt({ atMost: 0.8, windows: 2, withinMs: 20_000 });
      say(`checkout may have ${count - 1} sessions, and has ${count} processes`);
      await passTime(seeded, 2000, 4000);
      const sweep = await look(stage.services);
      const judged = await cure(stage.services, sweep, 'db.raise-connection-limit');
      await wellAgain(traffic);
      return {
        truth: { causes: ['role-limit'], path: ['Role checkout', 'service checkout'] },
        sweep,
        effect: { judged, truth: 'established' },
      };
    } finally {
      await stage.stop();
    }
  },
};

/** What has a session keeps it when the limit is lowered: all come anew. The acting role may do what `starr plan` asks for. */
async function limitCheckout({ postgres }: Stage, limit: number): Promise<void> {
  await postgres.query(
    `ALTER ROLE ${STAGE_ROLES.acting} CREATEROLE;
     GRANT checkout TO ${STAGE_ROLES.acting} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;
     ALTER ROLE checkout CONNECTION LIMIT ${limit};
     SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'checkout'`,
  );
}
