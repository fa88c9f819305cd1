import type { Scenario } from '../scenario.ts';
import { startPlainDay, stickBreakers, switchOn } from './plain-stage.ts';

/** The breakers are closed as planned and stay so; users do not get better, since by then something else is wrong. */
export const cureNotFelt: Scenario = {
  id: 'cure-not-felt',
  title: 'the registered measurement recovers, users do not: the effect must not be established',
  kind: 'fault',
  needs: ['jaeger'],
  async play({ seeded, say, look, cure }) {
    const { stage, traffic } = await startPlainDay(seeded);
    try {
      await stickBreakers(stage);
      await traffic.untilFelt({ atMost: 0.5, windows: 2, withinMs: 10_000 });
      const sweep = await look(stage.services);
      await switchOn(stage, 'leak-connections:1');
      say('connections leak while the breakers are reset');
      const judged = await cure(stage.services, sweep, 'resilience.reset-breaker');
      await traffic.untilFelt({ atMost: 0.5, withinMs: 10_000 });
      return {
        truth: { causes: ['breaker-stuck-open'], path: ['checkout', 'payments'] },
        sweep,
        effect: { judged, truth: 'missed' },
      };
    } finally {
      await stage.stop();
    }
  },
};
