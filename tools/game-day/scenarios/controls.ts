import type { StageOptions } from '@starr/lab';
import type { PlayContext, Played, Scenario } from '../scenario.ts';
import { passTime, startPlainDay } from './plain-stage.ts';
import { untilCalm } from './shop-state.ts';

/** Slots that are reserved for superusers. */
const RESERVED = 3;
/** What the rest of the shop and the doctor hold as a rule; it has room for more without filling the slots. */
const OTHERS = 6;
const ORDERS_POOL_MAX = 4;

/** A big pool that was opened at the start and is never needed: 85 % of the slots, flat, idle, nobody waiting. */
export const staticPool: Scenario = {
  id: 'control-static-pool',
  title: 'control: a big static pool at 85 % of the slots',
  kind: 'control',
  needs: [],
  play(context) {
    const maxConnections = context.seeded.int(64, 90);
    const each = Math.floor((0.85 * (maxConnections - RESERVED) - OTHERS) / 2);
    return playControl(context, {
      maxConnections,
      checkout: { count: 2, faults: `static-pool:${each}`, poolMax: ORDERS_POOL_MAX },
    });
  },
};

/** Loud errors about something that has been broken for ever and that nobody needs. */
export const loudErrors: Scenario = {
  id: 'control-loud-errors',
  title: 'control: loud old errors with nothing wrong',
  kind: 'control',
  needs: [],
  play: (context) =>
    playControl(context, { checkout: { faults: `errors:${context.seeded.int(120, 600)}` } }),
};

async function playControl({ seeded, look }: PlayContext, options: StageOptions): Promise<Played> {
  const { stage } = await startPlainDay(seeded, options);
  try {
    await passTime(seeded, 6000, 10_000);
    await untilCalm(stage);
    return { truth: { causes: [], path: [] }, sweep: await look(stage.services) };
  } finally {
    await stage.stop();
  }
}
