import type { Scenario } from '../scenario.ts';
import { BAD_IMAGE, startClusterDay } from './cluster-stage.ts';
import { wellAgain } from './plain-stage.ts';

/** A new image leaks; the pods' addresses lead from the database to their revision. */
export const leakByRollout: Scenario = {
  id: 'leak-by-rollout',
  title: 'a rollout leaks connections',
  kind: 'fault',
  needs: ['kubernetes', 'jaeger'],
  async play({ seeded, say, look, cure }) {
    const { stage, traffic } = await startClusterDay(seeded);
    try {
      await stage.shop.rollOut({ tag: BAD_IMAGE });
      say('the bad image is rolled out');
      await traffic.untilFelt({ atMost: 0.9, withinMs: 90_000 });
      const sweep = await look(stage.services);
      const judged = await cure(stage.services, sweep, 'k8s.rollback');
      await wellAgain(traffic);
      return {
        truth: {
          causes: ['leak-since-rollout'],
          path: ['1→2 of shop/checkout', 'address', 'revision shop/checkout#2'],
        },
        sweep,
        effect: { judged, truth: 'established' },
      };
    } finally {
      await stage.stop();
    }
  },
};
