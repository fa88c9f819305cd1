import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from '@jest/globals';
import { installRedis } from '../install-redis.ts';
import { type LabPostgres, startPostgres } from '../postgres.ts';
import { type LabRedis, startRedis } from '../redis.ts';
import { type Shop, startShop } from './shop.ts';
import type { Traffic } from './traffic.ts';

jest.setTimeout(120_000); // a loaded machine is slow, not wrong

const LAB = new URL('../index.ts', import.meta.url).href;
const binary = await installRedis();
const withRedis = binary.kind === 'present' ? describe : describe.skip;

async function eventually(
  check: () => boolean | Promise<boolean>,
  withinMs = 20_000,
): Promise<void> {
  const giveUpAt = Date.now() + withinMs;
  while (!(await check())) {
    if (Date.now() > giveUpAt) throw new Error(`not within ${withinMs} ms: ${check.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

withRedis('the shop on real servers', () => {
  let postgres: LabPostgres;
  let redis: LabRedis;
  let shop: Shop;
  let traffic: Traffic;

  beforeAll(async () => {
    [postgres, redis] = await Promise.all([
      startPostgres({ maxConnections: 40 }),
      startRedis({ settings: { maxmemory: '8mb', 'maxmemory-policy': 'noeviction' } }),
    ]);
    shop = await startShop({ postgres, redisUrl: redis.url, checkout: { count: 2 } });
    traffic = await shop.startTraffic({ perSecond: 20, windowMs: 500 });
  });
  afterAll(async () => {
    await shop.stop();
    await Promise.all([postgres.stop(), redis.stop()]);
  });
  beforeEach(async () => {
    await traffic.untilWell({ windows: 2, withinMs: 20_000 });
  });
  afterEach(async () => {
    // One test's failure is not the next one's.
    await shop.setPayments({ healthy: true, latencyMs: 10 });
    const off = 'leak-connections,breaker-stuck,cache-fill,slow-query,slow-jobs';
    await Promise.all([...shop.checkouts, shop.worker].map((each) => each.switchFaults({ off })));
    postgres.resume();
    await redis
      .command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
      .catch(() => redis.restart());
  });

  const sessions = () =>
    postgres.query(`
      SELECT application_name AS app, host(client_addr) AS addr, count(*)::int AS n, state,
             count(*) FILTER (WHERE state_change - backend_start < interval '1 s')::int AS used_once
        FROM pg_stat_activity WHERE datname = 'orders' AND usename <> 'postgres' GROUP BY 1, 2, 4`);
  const checkoutPolicies = async (index = 0) => {
    const state = await shop.checkouts[index]!.state();
    return (kind: string, name: string) =>
      (state['policies'] as Record<string, unknown>[]).find(
        (policy) => policy['kind'] === kind && policy['name'] === name,
      )!;
  };

  it('sells: orders are paid, receipts are written, and every connection comes from its own process', async () => {
    await eventually(async () => {
      const [row] = await postgres.query(
        `SELECT (SELECT count(*)::int FROM orders WHERE status = 'paid') AS paid,
                (SELECT count(*)::int FROM receipts) AS receipts`,
        [],
        { database: 'orders' },
      );
      return Number(row?.['paid']) > 10 && Number(row?.['receipts']) > 10;
    });
    const addresses = new Set(
      (await sessions()).map((row) => `${String(row['app'])} ${String(row['addr'])}`),
    );
    for (const { role, address } of [...shop.checkouts, shop.worker]) {
      expect(addresses).toContain(`${role} ${address}`);
    }
    const clients = String(await redis.command('CLIENT', 'LIST'));
    for (const { instance, address } of shop.checkouts) {
      expect(clients).toMatch(new RegExp(`addr=${address}:.* name=checkout:${instance} `));
    }
  });

  it('logs JSON with the ids of the trace', async () => {
    await eventually(() => shop.checkouts[0]!.log().some((line) => line['msg'] === 'order placed'));
    const line = shop.checkouts[0]!.log().find((each) => each['msg'] === 'order placed');
    expect(line).toMatchObject({
      level: 'info',
      service: 'checkout',
      instance: 'checkout-1-1',
    });
    expect(line?.['time']).toMatch(/^\d{4}-\d\d-\d\dT/);
    expect(line?.['trace_id']).toMatch(/^[0-9a-f]{32}$/);
    expect(line?.['span_id']).toMatch(/^[0-9a-f]{16}$/);
  });

  it('leaks connections in revision 2 until the slots are gone and users feel it; revision 1 heals it', async () => {
    await shop.replaceCheckouts({ revision: '2', count: 2, faults: 'leak-connections:2' });
    await traffic.untilFelt({ atMost: 0.5, withinMs: 60_000 });
    await eventually(() =>
      shop.checkouts.some((checkout) =>
        checkout
          .log()
          .some((line) => line['code'] === '53300' && line['msg'] === 'checkout failed at orders'),
      ),
    );
    const leaked = (await sessions()).filter((row) => row['app'] === 'checkout');
    expect(new Set(leaked.map((row) => row['addr']))).toEqual(
      new Set(shop.checkouts.map(({ address }) => address)),
    );
    for (const row of leaked) expect(row).toMatchObject({ state: 'idle', used_once: row['n'] });
    await expect(
      postgres.query('SELECT 1', [], { user: 'checkout', database: 'orders' }),
    ).rejects.toMatchObject({ code: '53300' });
    await eventually(async () => {
      const [one, other] = [await checkoutPolicies(0), await checkoutPolicies(1)];
      return [one, other].every((of) => of('breaker', 'orders')['state'] !== 'closed');
    }, 20_000);

    const leaky = shop.checkouts.map(({ address }) => address);
    await shop.replaceCheckouts({ revision: '1', count: 2 });
    await traffic.untilWell({ withinMs: 30_000 });
    const still = (await sessions()).filter((row) => leaky.includes(String(row['addr'])));
    expect(still).toEqual([]);
  });

  it('survives that its leaked sessions are ended from outside', async () => {
    await shop.checkouts[0]!.switchFaults({ on: 'leak-connections:1' });
    const address = shop.checkouts[0]!.address;
    await eventually(async () =>
      (await sessions()).some((row) => row['addr'] === address && Number(row['used_once']) > 5),
    );
    await shop.checkouts[0]!.switchFaults({ off: 'leak-connections' });
    await postgres.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE client_addr = $1::inet`,
      [address],
    );
    await traffic.untilWell({ withinMs: 20_000 });
    expect((await shop.checkouts[0]!.state())['faults']).toEqual([]);
  });

  it('opens the breaker while payments are out of order and closes it soon after', async () => {
    await shop.setPayments({ healthy: false });
    await traffic.untilFelt({ atMost: 0.1, withinMs: 20_000 });
    await eventually(
      async () => (await checkoutPolicies())('breaker', 'payments')['state'] === 'open',
    );
    await shop.setPayments({ healthy: true });
    await traffic.untilWell({ withinMs: 20_000 });
  });

  it('keeps the breaker open long after payments are well again when it is stuck', async () => {
    for (const checkout of shop.checkouts) await checkout.switchFaults({ on: 'breaker-stuck' });
    await shop.setPayments({ healthy: false });
    await eventually(async () => {
      const [one, other] = [await checkoutPolicies(0), await checkoutPolicies(1)];
      return [one, other].every((of) => of('breaker', 'payments')['state'] === 'open');
    }, 30_000);
    await shop.setPayments({ healthy: true });
    const felt = await traffic.untilFelt({ atMost: 0, windows: 6, withinMs: 20_000 });
    expect(Object.keys(felt.reasons)).toEqual(['503 payments']);
    const breaker = (await checkoutPolicies())('breaker', 'payments');
    expect(breaker['timeUntilRetryMs']).toBeGreaterThan(3_000_000);
    await shop.replaceCheckouts({ revision: '1', count: 2 });
    await traffic.untilWell({ withinMs: 20_000 });
  });

  it('fills a Redis that may not evict until sessions cannot be kept; eviction heals it', async () => {
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    for (const checkout of shop.checkouts) await checkout.switchFaults({ on: 'cache-fill:512' });
    const felt = await traffic.untilFelt({ atMost: 0.6, withinMs: 40_000 });
    expect(Object.keys(felt.reasons)).toEqual(['503 sessions']);
    await eventually(() =>
      redis.command('SET', 'any', 'x').then(
        () => false, // a session has just ended and left its room
        (error: unknown) => String(error).includes('OOM command not allowed'),
      ),
    );
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    await traffic.untilWell({ withinMs: 20_000 });
  });

  it('keeps queries running when they are slow', async () => {
    await shop.checkouts[0]!.switchFaults({ on: 'slow-query:1500' });
    await eventually(async () =>
      (await sessions()).some(
        (row) => row['state'] === 'active' && row['addr'] === shop.checkouts[0]!.address,
      ),
    );
    const slow = await new Promise<number>((resolve) => {
      const off = traffic.onWindow(({ p95Ms = 0 }) => {
        if (p95Ms < 1500) return;
        off();
        resolve(p95Ms);
      });
    });
    expect(slow).toBeLessThan(4000);
    await shop.checkouts[0]!.switchFaults({ off: 'slow-query' });
  });

  it('lets the queue of the worker grow when its jobs are slow', async () => {
    await shop.worker.switchFaults({ on: 'slow-jobs:3000' });
    await eventually(async () => {
      const policies = (await shop.worker.state())['policies'] as Record<string, unknown>[];
      const queue = policies.find((policy) => policy['kind'] === 'queue')!;
      return Number(queue['size']) > 10 && Number(queue['oldestWaitMs']) > 0;
    });
    await shop.worker.switchFaults({ off: 'slow-jobs' });
  });

  it('is only loud, not ill, with old errors and a big static pool', async () => {
    await shop.replaceCheckouts({ revision: '1', count: 2, faults: 'errors:600,static-pool:10' });
    await traffic.untilWell({ windows: 12, withinMs: 30_000 });
    await eventually(async () => {
      const pools = (await sessions()).filter((row) => row['app'] === 'reports');
      const [of, usedOnce] = [pools.map((row) => row['n']), pools.map((row) => row['used_once'])];
      return isDeepStrictEqual(
        [of, usedOnce],
        [
          [10, 10],
          [0, 0],
        ],
      );
    });
    expect((await checkoutPolicies())('pool', 'reports')).toMatchObject({ size: 10, waiting: 0 });
    const errors = shop.checkouts[0]!.log().filter((line) => line['level'] === 'error');
    expect(errors.length).toBeGreaterThan(5);
    expect(new Set(errors.map((line) => line['msg']))).toEqual(
      new Set(['legacy feed import failed']),
    );
    await shop.replaceCheckouts({ revision: '1', count: 2 });
  });

  it('fails at sessions while Redis is away and comes back with it', async () => {
    await redis.kill();
    const felt = await traffic.untilFelt({ atMost: 0.1, withinMs: 20_000 });
    expect(felt.reasons).toHaveProperty('503 sessions');
    await redis.restart();
    await traffic.untilWell({ withinMs: 20_000 });
  });

  it('fails at orders while PostgreSQL is stopped and comes back with it', async () => {
    postgres.pause();
    await traffic.untilFelt({ atMost: 0.1, withinMs: 20_000 });
    postgres.resume();
    await traffic.untilWell({ withinMs: 30_000 });
  });
});

withRedis('a shop behind one address', () => {
  it('has all its sessions come from there, whatever the process', async () => {
    await using postgres = await startPostgres();
    await using redis = await startRedis();
    await using shop = await startShop({
      postgres,
      redisUrl: redis.url,
      sharedAddress: '127.0.0.77',
      checkout: { count: 2 },
    });
    const traffic = await shop.startTraffic({ windowMs: 500 });
    await traffic.untilWell({ windows: 2, withinMs: 20_000 });
    const rows = await postgres.query(
      `SELECT DISTINCT application_name AS app, host(client_addr) AS address
         FROM pg_stat_activity WHERE datname = 'orders' ORDER BY 1`,
    );
    expect(rows).toEqual([
      { app: 'checkout', address: '127.0.0.77' },
      { app: 'worker', address: '127.0.0.77' },
    ]);
    expect(new Set(shop.checkouts.map(({ address }) => address)).size).toBe(2);
  });
});

withRedis('a shop whose owner is killed', () => {
  it('leaves no process behind', async () => {
    const script = `
      import { startPostgres, startRedis, startShop } from '${LAB}';
      const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
      const shop = await startShop({ postgres, redisUrl: redis.url });
      const traffic = await shop.startTraffic();
      const all = [...shop.checkouts, shop.worker, shop.payments, traffic.process, postgres, redis];
      console.log(JSON.stringify(all.map(({ pid }) => pid)));`;
    const owner = spawn(
      process.execPath,
      ['--conditions=@starr/source', '--input-type=module', '--eval', script],
      { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_OPTIONS: '' } },
    );
    const [chunk] = (await once(owner.stdout, 'data')) as [Buffer];
    const pids = JSON.parse(String(chunk)) as number[];
    expect(pids).toHaveLength(6);
    owner.kill('SIGKILL');
    for (const pid of pids) {
      await eventually(async () => {
        const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z ');
        return stat.includes(') Z ');
      });
    }
  });
});
