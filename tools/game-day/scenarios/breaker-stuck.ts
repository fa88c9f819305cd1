import type { Scenario } from '../scenario.ts';
import { passTime, startPlainDay, stickBreakers, wellAgain } from './plain-stage.ts';

/** Payments were ill and are well again; the breakers never try. */
export const breakerStuck: Scenario = {
  id: 'breaker-stuck-open',
  title: 'a breaker stays open after its dependency has recovered',
  kind: 'fault',
  needs: [],
  async play({ seeded, say, look, cure }) {
    const { stage, traffic } = await startPlainDay(seeded);
    try {
      await stickBreakers(stage);
      await traffic.untilFelt({ atMost: 0.5, windows: 2, withinMs: 10_000 });
      say('payments are well again, users are not');
      await passTime(seeded, 4000, 8000);
      const sweep = await look(stage.services);
      const judged = await cure(stage.services, sweep, 'resilience.reset-breaker');
      await wellAgain(traffic);
      return {
        truth: { causes: ['breaker-stuck-open'], path: ['checkout', 'payments'] },
        sweep,
        effect: { judged, truth: 'established' },
      };
    } finally {
      await stage.stop();
    }
  },
};
