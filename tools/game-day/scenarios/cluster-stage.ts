import {
  startClusterStage,
  type ClusterStage,
  type ClusterStageOptions,
  type Traffic,
} from '@starr/lab';
import type { Seeded } from '../seeded.ts';

export interface ClusterDay {
  readonly stage: ClusterStage;
  readonly traffic: Traffic;
}

/** Tag of the image that leaks; nothing in the cluster tells its bug but what it does. */
export const BAD_IMAGE = '1.8.2';

/** The shop as pods, with names and sizes of the seed; users are well and it was looked at when it resolves. */
export async function startClusterDay(
  seeded: Seeded,
  more: ClusterStageOptions = {},
): Promise<ClusterDay> {
  const stage = await startClusterStage({
    environment: `day-${seeded.int(100, 999)}`,
    names: {
      postgres: seeded.pick(['orders', 'ledger', 'main-db']),
      redis: seeded.pick(['sessions', 'carts']),
      cluster: seeded.pick(['prod-eu', 'prod-us']),
    },
    faulty: { [`shop/checkout:${BAD_IMAGE}`]: `leak-connections:${seeded.int(4, 7)}` },
    maxConnections: seeded.int(80, 110),
    checkouts: seeded.int(2, 3),
    ...more,
  });
  const traffic = await stage.shop.startTraffic({
    perSecond: seeded.int(25, 35),
    seed: seeded.int(1, 10_000),
  });
  await traffic.untilWell({ windows: 2, withinMs: 60_000 });
  await stage.services.starr('sweep');
  return { stage, traffic };
}
