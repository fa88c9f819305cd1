import type { SweepJson } from '../../demo/sweep-json.ts';
import type { Scenario } from '../scenario.ts';
import { startClusterDay } from './cluster-stage.ts';
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
  async play({ seeded, look }) {
    const maxConnections = seeded.int(64, 90);
    const each = Math.floor((0.85 * (maxConnections - RESERVED) - OTHERS) / 2);
    const { stage } = await startPlainDay(seeded, {
      maxConnections,
      checkout: { count: 2, faults: `static-pool:${each}`, poolMax: ORDERS_POOL_MAX },
    });
    try {
      await passTime(seeded, 6000, 10_000);
      await untilCalm(stage);
      const sweep = await look(stage.services);
      checkSeen(sweep, { diagnostic: 'db.connection-use', name: 'useRatio', above: 0.8 });
      return { truth: { causes: [], path: [] }, sweep };
    } finally {
      await stage.stop();
    }
  },
};

/**
 * Loud errors about something that has been broken for ever and that nobody needs, and a rollout that changes nothing
 * about them. In a cluster, since logs are read there alone.
 */
export const loudErrors: Scenario = {
  id: 'control-loud-errors',
  title: 'control: loud old errors with nothing wrong',
  kind: 'control',
  needs: ['kubernetes', 'jaeger'],
  async play({ seeded, look }) {
    const errors = `errors:${seeded.int(120, 600)}`;
    const [old, innocent] = ['1.8.1', '1.8.3'];
    const { stage, traffic } = await startClusterDay(seeded, {
      faulty: { [`shop/checkout:${old}`]: errors, [`shop/checkout:${innocent}`]: errors },
    });
    try {
      await stage.shop.rollOut({ tag: innocent });
      await traffic.untilWell({ windows: 5, withinMs: 60_000 });
      await passTime(seeded, 6000, 10_000);
      const sweep = await look(stage.services);
      checkSeen(sweep, {
        diagnostic: 'k8s.error-distribution',
        name: 'errorsPerMinute',
        above: 60,
      });
      return { truth: { causes: [], path: [] }, sweep };
    } finally {
      await stage.stop();
    }
  },
};

/** A control in which there is nothing to be tempted by proves nothing: what is loud must have been seen. */
function checkSeen(
  { answer }: SweepJson,
  { diagnostic, name, above }: { diagnostic: string; name: string; above: number },
): void {
  const values = answer.checks
    .filter((check) => check.diagnostic === diagnostic)
    .flatMap(({ measured }) => measured.filter((one) => one.name === name))
    .map(({ value }) => value);
  if (!values.some((value) => value > above))
    throw new Error(
      `the control is not real: ${name} of ${diagnostic} is ${values.join(', ') || 'not measured'}, not above ${above}`,
    );
}
