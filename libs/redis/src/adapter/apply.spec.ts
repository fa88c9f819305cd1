import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Outcome, Probed, Progress } from '@starr/kernel';
import { busyRedis, startRedis, type LabRedis } from '@starr/lab';
import type { RedisAct } from '../request.ts';
import { limitOf } from '../test/limit-of.ts';
import { startRedisProxy, type Loss } from '../test/redis-proxy.ts';
import { connectionName } from './apply.ts';
import { createRedisAdapter } from './create-redis-adapter.ts';
import type { RedisConfig } from './redis-config.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

type RedisAdapter = ReturnType<typeof createRedisAdapter>;

describe('setting the eviction policy on a real Redis', () => {
  let redis: LabRedis;
  let runId: string;
  beforeAll(async () => {
    redis = await startRedis({
      aclUsers: [
        'acting on >act ~* -@all +info +config|get +config|set +client|setname +client|list +client|kill',
        'nameless on >act ~* -@all +info +config|get +config|set +client|list +client|kill',
        'unfenced on >act ~* -@all +info +config|get +config|set',
        'reader on >act ~* -@all +info +config|get',
      ],
    });
    runId = /run_id:(\w+)/.exec(String(await redis.command('INFO', 'server')))?.[1] ?? '';
  }, 240_000);
  afterAll(() => redis.stop());
  beforeEach(() => redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction'));

  const policyNow = async (): Promise<string> =>
    String(/maxmemory_policy:(\S+)/.exec(String(await redis.command('INFO', 'memory')))?.[1]);
  const acting = (user: string): RedisConfig => ({
    url: redis.url,
    acting: { user, password: 'act' },
  });
  const act = (guard: Partial<RedisAct['guard']> = {}): RedisAct => ({
    kind: 'set-eviction-policy',
    policy: 'allkeys-lru',
    guard: { runId, policy: 'noeviction', ...guard },
  });

  it('applies once, with the old value for the receipt, and the probe says so', async () => {
    const adapter = createRedisAdapter(acting('acting'));
    expect(await probed(adapter, act())).toEqual({
      state: 'not-applied',
      says: 'maxmemory-policy is still noeviction',
    });
    const limit = limitOf();
    const change = { before: { policy: 'noeviction' }, after: { policy: 'allkeys-lru' } };
    expect(await applied(adapter, act(), limit)).toEqual({
      kind: 'outcome',
      outcome: 'applied',
      ...change,
    });
    expect(limit.bill()).toEqual({ connections: 1, commands: 5 });
    expect(await policyNow()).toBe('allkeys-lru');
    expect(await probed(adapter, act())).toEqual({ state: 'applied', ...change });
  });

  it.each<[string, Partial<RedisAct['guard']>, RegExp]>([
    ['the server restarted', { runId: 'another' }, /restarted since the plan/],
    ['the policy is another by now', { policy: 'volatile-ttl' }, /is noeviction by now/],
  ])('refuses when %s', async (_, guard, says) => {
    const adapter = createRedisAdapter(acting('acting'));
    expect(await applied(adapter, act(guard))).toMatchObject({
      outcome: 'refused',
      says: expect.stringMatching(says) as unknown,
    });
    expect(await policyNow()).toBe('noeviction');
  });

  it.each([
    ['config|set', 'reader', /ACL SETUSER reader \+config\|set/],
    ['its password', 'nobody', /user nobody is unknown/],
  ])('fails clean without %s', async (_, user, says) => {
    const adapter = createRedisAdapter(acting(user));
    expect(await applied(adapter, act())).toMatchObject({
      outcome: 'failed',
      says: expect.stringMatching(says) as unknown,
    });
    expect(await policyNow()).toBe('noeviction');
  });

  it('fails clean without an acting credential', async () => {
    const adapter = createRedisAdapter({ url: redis.url });
    expect(await applied(adapter, act())).toMatchObject({
      outcome: 'failed',
      says: expect.stringContaining('no acting credential') as unknown,
    });
  });

  it('fails clean with a policy that the server does not know', async () => {
    const adapter = createRedisAdapter(acting('acting'));
    const outcome = await applied(adapter, { ...act(), policy: 'allkeys-nonsense' });
    expect(outcome).toMatchObject({ outcome: 'failed' });
    expect(await policyNow()).toBe('noeviction');
  });

  it('applies on a server that is out of memory and refuses what wants memory', async () => {
    await redis.command('CONFIG', 'SET', 'maxmemory', '1');
    try {
      await expect(redis.command('SET', 'a', 'b')).rejects.toThrow('OOM');
      const adapter = createRedisAdapter(acting('acting'));
      expect(await applied(adapter, act())).toMatchObject({ outcome: 'applied' });
    } finally {
      await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    }
  });

  it('fails clean while a script keeps the server busy', async () => {
    const busy = await busyRedis(redis);
    try {
      const outcome = await applied(createRedisAdapter(acting('acting')), act());
      expect(outcome).toMatchObject({
        outcome: 'failed',
        says: expect.stringContaining('BUSY') as unknown,
      });
    } finally {
      await busy.end();
    }
    expect(await policyNow()).toBe('noeviction');
  });

  it.each<[string, Loss, string, Probed['state']]>([
    ['before the server got it', { losing: 'request', word: 'SET' }, 'noeviction', 'not-applied'],
    ['after the server did it', { losing: 'answer', word: 'SET' }, 'allkeys-lru', 'applied'],
    [
      'in silence after the server did it',
      { losing: 'everything-after', word: 'SET' },
      'allkeys-lru',
      'applied',
    ],
  ])('is indeterminate when lost %s, until probed', async (_, loss, policy, state) => {
    await using proxy = await startRedisProxy(redis.port, loss);
    const through = createRedisAdapter({ ...acting('acting'), url: proxy.url });
    expect(await applied(through, act(), limitOf(300))).toMatchObject({ outcome: 'indeterminate' });
    expect(await policyNow()).toBe(policy);
    expect(await probed(createRedisAdapter(acting('acting')), act())).toMatchObject({ state });
  });

  it('ends the connection of a lost act before it says that nothing was done', async () => {
    const name = connectionName('op-1');
    const standing = await namedConnection(redis, name);
    try {
      expect(await probed(createRedisAdapter(acting('acting')), act())).toMatchObject({
        state: 'not-applied',
      });
      expect(await namesOf(redis)).not.toContain(name);
    } finally {
      await standing.close();
    }
  });

  it.each([['unfenced'], ['nameless']])(
    'does not claim that nothing was done when user %s may not look for a late command',
    async (user) => {
      expect(await probed(createRedisAdapter(acting(user)), act())).toMatchObject({
        state: 'indeterminate',
        says: expect.stringContaining(
          `ACL SETUSER ${user} +client|setname +client|list +client|kill`,
        ) as unknown,
      });
    },
  );

  it('is indeterminate after a restart and under a third policy', async () => {
    const adapter = createRedisAdapter(acting('acting'));
    expect(await probed(adapter, act({ runId: 'another' }))).toMatchObject({
      state: 'indeterminate',
    });
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'volatile-ttl');
    expect(await probed(adapter, act())).toMatchObject({ state: 'indeterminate' });
  });

  it('is running while its answer is awaited, whoever goes away', async () => {
    const adapter = createRedisAdapter(acting('acting'));
    const gone = new AbortController();
    redis.pause();
    const outcome = applied(adapter, act(), limitOf(2000, { signal: gone.signal }));
    await new Promise((resolve) => setTimeout(resolve, 50));
    gone.abort();
    try {
      expect(await probed(adapter, act())).toMatchObject({ state: 'running' });
    } finally {
      redis.resume();
    }
    expect(await outcome).toMatchObject({ outcome: 'applied' });
  });
});

async function applied(
  adapter: RedisAdapter,
  act: RedisAct,
  limit = limitOf(),
): Promise<Outcome | Progress> {
  const events: (Outcome | Progress)[] = [];
  for await (const event of adapter.apply(act, 'op-1', limit)) events.push(event);
  expect(events).toHaveLength(1);
  return events[0]!;
}

function probed(adapter: RedisAdapter, act: RedisAct): Promise<Probed> {
  return adapter.probe(act, 'op-1', limitOf());
}

async function namesOf(redis: LabRedis): Promise<readonly string[]> {
  const list = String(await redis.command('CLIENT', 'LIST'));
  return list.split('\n').flatMap((line) => / name=(\S+)/.exec(line)?.[1] ?? []);
}

/** What a killed doctor leaves when its host does not notice: a connection under the name of the act. */
async function namedConnection(redis: LabRedis, name: string): Promise<{ close(): Promise<void> }> {
  const socket = connect(redis.port, redis.host);
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    socket.once('data', () => {
      resolve();
    });
    socket.write(`CLIENT SETNAME ${name}\r\n`);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        if (socket.closed) resolve();
        socket.once('close', () => {
          resolve();
        });
        socket.destroy();
      }),
  };
}
