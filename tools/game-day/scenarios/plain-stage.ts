import { findGoTools, startStage, type Stage, type StageOptions, type Traffic } from '@starr/lab';
import type { Seeded } from '../seeded.ts';
import { untilBreakersOpen } from './shop-state.ts';

export interface PlainDay {
  readonly stage: Stage;
  readonly traffic: Traffic;
}

/**
 * A stage without a cluster whose names and sizes come from the seed; users are well when it resolves. With traces
 * where Jaeger is compiled, so that users' errors count beside what a plan registers.
 */
export async function startPlainDay(seeded: Seeded, more: StageOptions = {}): Promise<PlainDay> {
  const stage = await startStage({
    environment: `day-${seeded.int(100, 999)}`,
    names: {
      postgres: seeded.pick(['orders', 'ledger', 'main-db']),
      redis: seeded.pick(['sessions', 'cache', 'carts']),
    },
    maxConnections: seeded.int(50, 70),
    jaeger: (await findGoTools('jaeger')).kind === 'present',
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

/** Turns a fault on in every process of checkout, as FAULTS spells it. */
export async function switchOn({ shop }: Stage, fault: string): Promise<void> {
  await Promise.all(shop.checkouts.map((checkout) => checkout.switchFaults({ on: fault })));
}

/** Payments fail until every process of checkout has stopped to call them, and are well again; the breakers stay. */
export async function stickBreakers(stage: Stage): Promise<void> {
  await switchOn(stage, 'breaker-stuck');
  await stage.shop.setPayments({ healthy: false });
  await untilBreakersOpen(stage);
  await stage.shop.setPayments({ healthy: true });
}

/** Users alone know whether a cure has helped, under unchanged load. */
export async function wellAgain(traffic: Traffic): Promise<void> {
  await traffic.untilWell({ windows: 3, withinMs: 30_000 });
}

/** Time in which nothing happens but what the scenario wants, so that samples have an age. */
export function passTime(seeded: Seeded, leastMs: number, mostMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seeded.int(leastMs, mostMs)));
}
