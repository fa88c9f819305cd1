import type { Scenario } from '../scenario.ts';
import { passTime, startPlainDay, stickBreakers, switchOn } from './plain-stage.ts';

/** A leak and a breaker that is stuck, neither because of the other. */
export const twoCauses: Scenario = {
  id: 'two-causes-at-once',
  title: 'a connection leak and a stuck breaker at once',
  kind: 'fault',
  needs: [],
  async play({ seeded, say, look }) {
    const { stage } = await startPlainDay(seeded);
    try {
      await stickBreakers(stage);
      await switchOn(stage, `leak-connections:${seeded.int(4, 8)}`);
      say('the breakers are stuck, and connections leak');
      await passTime(seeded, 14_000, 20_000);
      const sweep = await look(stage.services);
      return {
        truth: { causes: ['breaker-stuck-open', 'connection-leak'], path: ['checkout'] },
        sweep,
      };
    } finally {
      await stage.stop();
    }
  },
};
