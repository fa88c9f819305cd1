import { sweepJson } from '../../demo/sweep-json.ts';
import type { Scenario } from '../scenario.ts';
import { passTime, startPlainDay } from './plain-stage.ts';

/** A leak and a breaker that is stuck, neither because of the other. */
export const twoCauses: Scenario = {
  id: 'two-causes-at-once',
  title: 'a connection leak and a stuck breaker at once',
  kind: 'fault',
  needs: [],
  async play({ seeded, say }) {
    const { stage, traffic } = await startPlainDay(seeded);
    try {
      await Promise.all(
        stage.shop.checkouts.map((checkout) => checkout.switchFaults({ on: 'breaker-stuck' })),
      );
      await stage.shop.setPayments({ healthy: false });
      await traffic.untilFelt({ atMost: 0.5, windows: 2, withinMs: 30_000 });
      await stage.shop.setPayments({ healthy: true });
      await Promise.all(
        stage.shop.checkouts.map((checkout) =>
          checkout.switchFaults({ on: `leak-connections:${seeded.int(4, 8)}` }),
        ),
      );
      say('the breakers are stuck, and connections leak');
      await passTime(seeded, 14_000, 20_000);
      const sweep = await sweepJson(stage.services);
      return { truth: { causes: ['breaker-stuck-open', 'connection-leak'], path: [] }, sweep };
    } finally {
      await stage.stop();
    }
  },
};
