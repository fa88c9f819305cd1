import { startStage, type Stage, type StageOptions, type Traffic } from '@starr/lab';
import type { Seeded } from '../seeded.ts';

export interface PlainDay {
  readonly stage: Stage;
  readonly traffic: Traffic;
}

/** A stage without a cluster whose names and sizes come from the seed; users are well when it resolves. */
export async function startPlainDay(seeded: Seeded, more: StageOptions = {}): Promise<PlainDay> {
  const stage = await startStage({
    environment: `day-${seeded.int(100, 999)}`,
    names: {
      postgres: seeded.pick(['orders', 'ledger', 'main-db']),
      redis: seeded.pick(['sessions', 'cache', 'carts']),
    },
    maxConnections: seeded.int(50, 70),
    ...more,
    checkout: { count: seeded.int(2, 3), ...more.checkout },
  });
  const traffic = await stage.shop.startTraffic({
    perSecond: seeded.int(20, 30),
    seed: seeded.int(1, 10_000),
  });
  await traffic.untilWell({ windows: 2, withinMs: 30_000 });
  // History, as a system has it that was looked at before.
  await stage.services.starr('sweep');
  return { stage, traffic };
}

/** Time in which nothing happens but what the scenario wants, so that samples have an age. */
export function passTime(seeded: Seeded, leastMs: number, mostMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seeded.int(leastMs, mostMs)));
}
