import { sweepJson } from '../../demo/sweep-json.ts';
import { applyCure } from '../apply-cure.ts';
import type { Scenario } from '../scenario.ts';
import { passTime, startPlainDay } from './plain-stage.ts';

/** Payments were ill and are well again; the breakers never try. */
export const breakerStuck: Scenario = {
  id: 'breaker-stuck-open',
  title: 'a breaker stays open after its dependency has recovered',
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
      say('payments are well again, users are not');
      await passTime(seeded, 4000, 8000);
      const sweep = await sweepJson(stage.services);
      const established = await applyCure(stage.services, sweep, 'resilience.reset-breaker');
      const well = await traffic.untilWell({ windows: 3, withinMs: 30_000 }).then(
        () => true,
        () => false,
      );
      return {
        truth: { causes: ['breaker-stuck-open'], path: ['payments'] },
        sweep,
        effect: { established: established && well, expected: 'established' },
      };
    } finally {
      await stage.stop();
    }
  },
};
