import { startClusterStage } from '@starr/lab';
import type { Scenario } from '../scenario.ts';
import { wellAgain } from './plain-stage.ts';

const BAD = '1.8.2';

/** A new image leaks; nothing in the cluster tells its bug but what it does. */
export const leakByRollout: Scenario = {
  id: 'leak-by-rollout',
  title: 'a rollout leaks connections',
  kind: 'fault',
  needs: ['kubernetes', 'jaeger'],
  async play({ seeded, say, look, cure }) {
    const stage = await startClusterStage({
      environment: `day-${seeded.int(100, 999)}`,
      names: {
        postgres: seeded.pick(['orders', 'ledger', 'main-db']),
        redis: seeded.pick(['sessions', 'carts']),
        cluster: seeded.pick(['prod-eu', 'prod-us']),
      },
      faulty: { [`shop/checkout:${BAD}`]: `leak-connections:${seeded.int(4, 7)}` },
      maxConnections: seeded.int(80, 110),
      checkouts: seeded.int(2, 3),
    });
    try {
      const traffic = await stage.shop.startTraffic({
        perSecond: seeded.int(25, 35),
        seed: seeded.int(1, 10_000),
      });
      await traffic.untilWell({ windows: 2, withinMs: 60_000 });
      await stage.services.starr('sweep');
      await stage.shop.rollOut({ tag: BAD });
      say('the bad image is rolled out');
      await traffic.untilFelt({ atMost: 0.9, withinMs: 90_000 });
      const sweep = await look(stage.services);
      const judged = await cure(stage.services, sweep, 'k8s.rollback');
      await wellAgain(traffic);
      return {
        truth: { causes: ['leak-since-rollout'], path: ['shop/checkout', 'address', 'revision'] },
        sweep,
        effect: { judged, truth: 'established' },
      };
    } finally {
      await stage.stop();
    }
  },
};
