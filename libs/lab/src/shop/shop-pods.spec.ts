import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { buildGoTools } from '../go-tools.ts';
import { installRedis } from '../install-redis.ts';
import type { KubeApi } from '../kubernetes/kube-api.ts';
import { type LabKubernetes, startKubernetes } from '../kubernetes/start-kubernetes.ts';
import { type LabNodes, startLabNodes } from '../node-agent/start-lab-nodes.ts';
import { type LabPostgres, startPostgres } from '../postgres.ts';
import { type LabRedis, startRedis } from '../redis.ts';
import { type ShopPods, WITHOUT_ENDPOINTS, startShopPods } from './shop-pods.ts';
import { shopImages } from './shop-program.ts';
import type { Traffic } from './traffic.ts';

const tools = await buildGoTools('kubernetes');
const redisBinary = await installRedis();
const why = [tools, redisBinary].flatMap((each) => (each.kind === 'missing' ? [each.why] : []));
const onKubernetes = why.length === 0 ? describe : describe.skip;

onKubernetes(`the shop as pods${why.length === 0 ? '' : ` (skipped: ${why.join('; ')})`}`, () => {
  let postgres: LabPostgres;
  let redis: LabRedis;
  let kubernetes: LabKubernetes;
  let nodes: LabNodes;
  let shop: ShopPods;
  let traffic: Traffic;
  let api: KubeApi;

  beforeAll(async () => {
    [postgres, redis, kubernetes] = await Promise.all([
      startPostgres({ maxConnections: 40 }),
      startRedis(),
      startKubernetes(WITHOUT_ENDPOINTS),
    ]);
    api = kubernetes.api();
    nodes = await startLabNodes(kubernetes, {
      images: shopImages({ 'shop/checkout:1.8.2': 'leak-connections:2' }),
    });
    shop = await startShopPods({ kubernetes, postgres, redisUrl: redis.url, checkouts: 2 });
    traffic = await shop.startTraffic({ perSecond: 20, windowMs: 500 });
  }, 180_000);
  afterAll(async () => {
    await shop.stop();
    await nodes.stop();
    await Promise.all([kubernetes.stop(), postgres.stop(), redis.stop()]);
  }, 30_000);

  const backendAddresses = async (): Promise<string[]> => {
    const rows = await postgres.query(
      `SELECT DISTINCT host(client_addr) AS address FROM pg_stat_activity WHERE usename = 'checkout'`,
    );
    return rows.map((row) => String(row['address'])).sort();
  };

  it('sells, and the database sees the addresses of its pods', async () => {
    await traffic.untilWell({ withinMs: 30_000 });
    expect(shop.readyCheckouts()).toHaveLength(2);
    expect(await backendAddresses()).toEqual([...shop.readyCheckouts()].sort());
  }, 60_000);

  it('leaks by an image alone, which the cluster does not tell, and heals by the older image', async () => {
    const before = [...shop.readyCheckouts()];
    await shop.rollOut({ tag: '1.8.2' });
    expect(shop.readyCheckouts().filter((address) => before.includes(address))).toEqual([]);
    await traffic.untilFelt({ atMost: 0.5, withinMs: 60_000 });
    expect(await backendAddresses()).toEqual([...shop.readyCheckouts()].sort());
    const { spec } = await api.ask<{ spec: { template: unknown } }>({
      method: 'GET',
      path: '/apis/apps/v1/namespaces/shop/deployments/checkout',
    });
    expect(JSON.stringify(spec.template)).not.toMatch(/leak|FAULTS/);
    await shop.rollOut({ tag: '1.8.1' });
    await traffic.untilWell({ withinMs: 30_000 });
  }, 180_000);

  it('leaves no warning in the events but that a new pod was not ready at once', async () => {
    const { items } = await api.ask<{ items: { type: string; reason: string; message: string }[] }>(
      {
        method: 'GET',
        path: '/api/v1/namespaces/shop/events',
      },
    );
    const warnings = items.filter((event) => event.type === 'Warning');
    expect(warnings.filter((event) => !event.message.startsWith('Readiness probe failed'))).toEqual(
      [],
    );
  });
});
