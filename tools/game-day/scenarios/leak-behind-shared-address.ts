import type { Scenario } from '../scenario.ts';
import { startClusterDay, BAD_IMAGE } from './cluster-stage.ts';
import { startPlainDay, switchOn } from './plain-stage.ts';
import type { Seeded } from '../seeded.ts';

/** A leak of processes of which the database sees one address: who of them leaks it cannot tell. */
export const leakBehindSharedAddress: Scenario = {
  id: 'leak-behind-shared-address',
  title: 'a leak of processes that share one address',
  kind: 'fault',
  needs: [],
  async play({ seeded, say, look }) {
    const sharedAddress = drawAddress(seeded);
    const { stage, traffic } = await startPlainDay(seeded, { sharedAddress });
    try {
      await switchOn(stage, `leak-connections:${seeded.int(4, 8)}`);
      await traffic.untilFelt({ atMost: 0.9, withinMs: 60_000 });
      say(`users feel the leak; all connections come from ${sharedAddress}`);
      const sweep = await look(stage.services);
      return {
        truth: { causes: ['connection-leak'], path: ['checkout', endsAt(sharedAddress)] },
        sweep,
      };
    } finally {
      await stage.stop();
    }
  },
};

/** The same by a rollout in a cluster: between the leak and the revision there is nothing that could be seen. */
export const leakOfPodsBehindSharedAddress: Scenario = {
  id: 'leak-of-pods-behind-one-address',
  title: 'a rollout leaks connections, and the pods share one address',
  kind: 'fault',
  needs: ['kubernetes', 'jaeger'],
  async play({ seeded, say, look }) {
    const sharedAddress = drawAddress(seeded);
    const { stage, traffic } = await startClusterDay(seeded, { sharedAddress });
    try {
      await stage.shop.rollOut({ tag: BAD_IMAGE });
      await traffic.untilFelt({ atMost: 0.9, withinMs: 90_000 });
      say(`users feel the leak; all connections come from ${sharedAddress}`);
      const sweep = await look(stage.services);
      return {
        truth: {
          causes: ['connection-leak'],
          // What its pods log since the rollout does show its revision; that it leaks cannot be shown.
          alsoTrue: ['bad-rollout'],
          path: ['checkout', endsAt(sharedAddress)],
        },
        sweep,
      };
    } finally {
      await stage.stop();
    }
  },
};

function endsAt(address: string): string {
  return `pod not identified, path ends at address ${address}`;
}

/** Outside of what the shop's own network draws from. */
function drawAddress(seeded: Seeded): string {
  return `127.${seeded.int(60, 99)}.${seeded.int(1, 250)}.${seeded.int(2, 250)}`;
}
