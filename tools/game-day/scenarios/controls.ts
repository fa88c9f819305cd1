import type { Scenario } from '../scenario.ts';
import { passTime, startPlainDay } from './plain-stage.ts';

const MAX_CONNECTIONS = 60;

/** A big pool that was opened at the start and is never needed: 85 % of the slots, flat, idle, nobody waiting. */
export const staticPool: Scenario = {
  id: 'control-static-pool',
  title: 'control: a big static pool at 85 % of the slots',
  kind: 'control',
  needs: [],
  async play({ seeded, look }) {
    // 57 usable slots; the rest of the shop holds a few of its own
    const each = Math.floor((0.85 * (MAX_CONNECTIONS - 3) - 10) / 2);
    const { stage } = await startPlainDay(seeded, {
      maxConnections: MAX_CONNECTIONS,
      checkout: { count: 2, faults: `static-pool:${each}`, poolMax: each + 5 },
    });
    try {
      await passTime(seeded, 6000, 10_000);
      return { truth: { causes: [], path: [] }, sweep: await look(stage.services) };
    } finally {
      await stage.stop();
    }
  },
};

/** Loud errors about something that has been broken for ever and that nobody needs. */
export const loudErrors: Scenario = {
  id: 'control-loud-errors',
  title: 'control: loud old errors with nothing wrong',
  kind: 'control',
  needs: [],
  async play({ seeded, look }) {
    const { stage } = await startPlainDay(seeded, {
      checkout: { faults: `errors:${seeded.int(120, 600)}` },
    });
    try {
      await passTime(seeded, 6000, 10_000);
      return { truth: { causes: [], path: [] }, sweep: await look(stage.services) };
    } finally {
      await stage.stop();
    }
  },
};
