import { createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { blindFromError, isBlindSpot, type BlindSpot, type DoctorError } from '@starr/kernel';
import { busyRedis, freePort, loadingRedis, startRedis, type LabRedis } from '@starr/lab';
import { clientsRead } from '../reads/clients.ts';
import { infoRead } from '../reads/info.ts';
import { limitOf } from '../test/limit-of.ts';
import { LOOK } from '../test/pair-of.ts';
import { createRedisAdapter } from './create-redis-adapter.ts';
import type { RedisConfig } from './redis-config.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

type RedisAdapter = ReturnType<typeof createRedisAdapter>;

const open: RedisAdapter[] = [];
function adapterFor(config: RedisConfig): RedisAdapter {
  const adapter = createRedisAdapter(config);
  open.push(adapter);
  return adapter;
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((adapter) => adapter.close()));
});

/** What the host makes of it: a look's answer, or the blind spot. */
async function seen(look: () => Promise<unknown>): Promise<unknown> {
  try {
    return await look();
  } catch (error) {
    return blindFromError(error);
  }
}

async function sweep(adapter: RedisAdapter, timeoutMs = 2000): Promise<BlindSpot | 'seen'> {
  const limit = limitOf(timeoutMs);
  const greeting = await seen(() => adapter.greet(limit));
  if (isBlindSpot(greeting)) return greeting;
  const raw = await seen(() => adapter.perform({ kind: 'info' }, limit));
  const info = isBlindSpot(raw) ? raw : infoRead.parse(raw, LOOK);
  return isBlindSpot(info) ? info : 'seen';
}

describe('the adapter on a real Redis', () => {
  let redis: LabRedis;
  beforeAll(async () => {
    redis = await startRedis({
      aclUsers: [
        'starr on >look-secret ~* -@all +info +time +client|list',
        'blind on >blind-secret ~* -@all',
        'noinfo on >noinfo-secret ~* -@all +time',
      ],
    });
  }, 240_000);
  afterAll(() => redis.stop());

  const as = (user: string, password: string): RedisConfig => ({
    url: `redis://${user}@${redis.host}:${redis.port}`,
    password,
  });

  it('greets with version and clock of the server', async () => {
    const before = Date.now();
    const greeting = await adapterFor(as('starr', 'look-secret')).greet(limitOf());
    expect(greeting.version).toMatch(/^(Redis|Valkey) \d+\.\d+\.\d+$/);
    expect(greeting.now.getTime()).toBeGreaterThanOrEqual(before - 1);
    expect(greeting.now.getTime()).toBeLessThanOrEqual(Date.now() + 1);
  });

  it('needs no more than info, time and client|list, over one connection', async () => {
    const adapter = adapterFor(as('starr', 'look-secret'));
    const limit = limitOf();
    await adapter.greet(limit);
    const [info, clients] = await Promise.all([
      adapter.perform({ kind: 'info' }, limit),
      adapter.perform({ kind: 'clients' }, limit),
    ]);
    expect(infoRead.parse(info, LOOK)).toMatchObject({
      role: 'master',
      memory: { policy: 'noeviction', maxmemoryBytes: 0, usedBytes: expect.any(Number) as unknown },
      stats: { hits: 0, misses: 0 },
    });
    expect(clientsRead.parse(clients, LOOK)).toEqual([]);
    expect(limit.bill()).toEqual({ connections: 1, commands: 6 });
  });

  it('never counts as a lookup', async () => {
    const adapter = adapterFor(as('starr', 'look-secret'));
    await redis.command('SET', 'a', '1');
    for (let look = 0; look < 3; look += 1) {
      await adapter.perform({ kind: 'info' }, limitOf());
      await adapter.perform({ kind: 'clients' }, limitOf());
    }
    const info = String(await redis.command('INFO', 'stats'));
    expect(info).toMatch(/keyspace_hits:0\r\nkeyspace_misses:0/);
  });

  it('lists clients by name and address', async () => {
    const adapter = adapterFor(as('starr', 'look-secret'));
    const other = adapterFor({ url: redis.url });
    await other.greet(limitOf());
    const clients = clientsRead.parse(await adapter.perform({ kind: 'clients' }, limitOf()), LOOK);
    expect(clients).toMatchObject([{ name: 'unnamed', address: '127.0.0.1', connections: 1 }]);
  });

  it('does not list more clients than a look may', async () => {
    const adapter = adapterFor({ url: redis.url });
    const late = seen(() => adapter.perform({ kind: 'clients' }, limitOf(2000, { maxRows: 0 })));
    await expect(late).resolves.toMatchObject({ why: 'truncated' });
  });

  it.each([
    ['unknown', 'nobody', 'x'],
    ['with a wrong password', 'starr', 'not-the-secret'],
  ])('is denied for a user %s, and repeats no secret', async (_, user, password) => {
    const blind = await sweep(adapterFor(as(user, password)));
    expect(blind).toMatchObject({
      why: 'denied',
      detail: `127.0.0.1:${redis.port}: user ${user} is unknown, disabled, or its password is wrong`,
      cure: `put the password of user ${user} in the configuration of this target`,
    });
    expect(JSON.stringify(blind)).not.toContain('not-the-secret');
  });

  it('asks for the password anew at each connect', async () => {
    const secrets = ['wrong', 'look-secret'];
    const adapter = adapterFor({
      ...as('starr', ''),
      password: () => Promise.resolve(secrets.shift() ?? ''),
    });
    expect(await sweep(adapter)).toMatchObject({ why: 'denied' });
    expect(await sweep(adapter)).toBe('seen');
  });

  it('names the user whose password cannot be obtained, and is denied', async () => {
    const adapter = adapterFor({
      ...as('starr', ''),
      password: () => Promise.reject(new Error('vault is sealed')),
    });
    expect(await sweep(adapter)).toMatchObject({
      why: 'denied',
      detail: 'the password of user starr could not be obtained',
    });
  });

  it.each([
    ['noinfo', 'noinfo-secret', 'ACL SETUSER noinfo +info'],
    ['blind', 'blind-secret', 'ACL SETUSER blind +info +time'],
  ])(
    'says what user %s lacks; the cure, run as it stands, cures it',
    async (user, password, cure) => {
      const adapter = adapterFor(as(user, password));
      const blind = await sweep(adapter);
      expect(blind).toMatchObject({ why: 'denied', cure });
      await redis.command(...cure.split(' '));
      expect(await sweep(adapter)).toBe('seen');
    },
  );

  it('says what CLIENT LIST lacks; the cure, run as it stands, cures it', async () => {
    await redis.command('ACL', 'SETUSER', 'starr', '-client|list');
    const adapter = adapterFor(as('starr', 'look-secret'));
    const look = (): Promise<unknown> =>
      seen(() => adapter.perform({ kind: 'clients' }, limitOf()));
    const blind = (await look()) as BlindSpot;
    expect(blind).toMatchObject({ why: 'denied', cure: 'ACL SETUSER starr +client|list' });
    await redis.command(...(blind.cure ?? '').split(' '));
    expect(typeof (await look())).toBe('string');
  });

  it('tells rights without using them, and which commands the server does not have', async () => {
    const adapter = adapterFor({ ...as('starr', 'look-secret'), acting: {} });
    const commands = [['INFO'], ['CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru'], ['NOSUCH']];
    expect(await adapter.perform({ kind: 'acting-rights', commands }, limitOf())).toEqual({
      state: 'asked',
      user: 'default',
      redisCli: `redis-cli -h 127.0.0.1 -p ${redis.port}`,
      answers: [
        { command: 'multi', right: 'permitted' },
        { command: 'info', right: 'permitted' },
        { command: 'config|set', right: 'permitted' },
        { command: 'nosuch', right: 'absent' },
      ],
    });
    expect(await redis.command('CONFIG', 'GET', 'maxmemory-policy')).toContainEqual('noeviction');
  });

  it('tells rights also on a server that is out of memory, which queues nothing', async () => {
    const adapter = adapterFor({ ...as('starr', 'look-secret'), acting: {} });
    await redis.command('CONFIG', 'SET', 'maxmemory', '1');
    try {
      const commands = [['CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru'], ['NOSUCH']];
      expect(await adapter.perform({ kind: 'acting-rights', commands }, limitOf())).toMatchObject({
        answers: [
          { command: 'multi', right: 'permitted' },
          { command: 'config|set', right: 'permitted' },
          { command: 'nosuch', right: 'absent' },
        ],
      });
    } finally {
      await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    }
  });

  it('stops at MULTI when that is denied: what follows would be carried out', async () => {
    const adapter = adapterFor({
      url: redis.url,
      acting: { user: 'nomulti', password: 'x' },
    });
    await redis.command('ACL', 'SETUSER', 'nomulti', 'on', '>x', '+@all', '-multi');
    const commands = [['CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru']];
    expect(await adapter.perform({ kind: 'acting-rights', commands }, limitOf())).toMatchObject({
      answers: [
        { command: 'multi', right: 'denied' },
        { command: 'config|set', right: 'unknown' },
      ],
    });
    expect(await redis.command('CONFIG', 'GET', 'maxmemory-policy')).toContainEqual('noeviction');
  });

  it('answers for a credential that is not there', async () => {
    const adapter = adapterFor(as('starr', 'look-secret'));
    const request = { kind: 'acting-rights', commands: [['INFO']] } as const;
    expect(await adapter.perform(request, limitOf())).toMatchObject({ state: 'no-credential' });
  });

  it('lets a caller go that is cancelled, and goes on to serve the others', async () => {
    const adapter = adapterFor(as('starr', 'look-secret'));
    await adapter.greet(limitOf());
    const gone = new AbortController();
    const cancelled = seen(() =>
      adapter.perform({ kind: 'info' }, limitOf(2000, { signal: gone.signal })),
    );
    const other = adapter.perform({ kind: 'info' }, limitOf());
    gone.abort();
    await expect(cancelled).resolves.toMatchObject({ why: 'timeout' });
    await expect(other).resolves.toContain('run_id');
  });

  it('leaves no connection behind', async () => {
    const adapter = adapterFor({ ...as('starr', 'look-secret'), acting: {} });
    await adapter.greet(limitOf());
    await adapter.perform({ kind: 'acting-rights', commands: [['INFO']] }, limitOf());
    await adapter.close();
    await until(async () => {
      const list = String(await redis.command('CLIENT', 'LIST'));
      return list.trim().split('\n').length === 1;
    });
  });
});

describe('a Redis that is unwell', () => {
  let redis: LabRedis;
  beforeAll(async () => {
    redis = await startRedis();
  }, 240_000);
  afterAll(() => redis.stop());

  it.each([['a new connection'], ['a warm connection']])(
    'stopped, over %s: a time-out within the limit, and seen again when it goes on',
    async (which) => {
      const adapter = adapterFor({ url: redis.url });
      if (which === 'a warm connection') await adapter.greet(limitOf());
      redis.pause();
      const begun = performance.now();
      try {
        expect(await sweep(adapter, 300)).toMatchObject({
          why: 'timeout',
          detail: `127.0.0.1:${redis.port}: no answer within 300 ms`,
        });
      } finally {
        redis.resume();
      }
      expect(performance.now() - begun).toBeLessThan(2000);
      expect(await sweep(adapter)).toBe('seen');
    },
  );

  it('busy with a script: unreachable, and the cure, run as it stands, cures it', async () => {
    const adapter = adapterFor({ url: redis.url });
    const busy = await busyRedis(redis);
    try {
      const blind = await sweep(adapter);
      expect(blind).toMatchObject({
        why: 'unreachable',
        detail: expect.stringContaining('answered with BUSY') as unknown,
        cure: 'SCRIPT KILL',
      });
      await redis.command(...(isBlindSpot(blind) ? (blind.cure ?? '') : '').split(' '));
      await until(async () => (await sweep(adapter)) === 'seen'); // the script ends at its next line
    } finally {
      await busy.end();
    }
  });

  it('out of connections: unreachable, by maxclients', async () => {
    const holder = adapterFor({ url: redis.url });
    await holder.greet(limitOf());
    await redis.command('CONFIG', 'SET', 'maxclients', '1');
    try {
      expect(await sweep(adapterFor({ url: redis.url }))).toMatchObject({
        why: 'unreachable',
        detail: expect.stringMatching(/maxclients|reset|closed/) as unknown,
      });
    } finally {
      await holder.close();
      await until(() =>
        redis.command('CONFIG', 'SET', 'maxclients', '10000').then(
          () => true,
          () => false,
        ),
      );
    }
  });

  it('loading: unreachable, and seen when the data set is read', async () => {
    const adapter = adapterFor({ url: redis.url });
    const loading = await loadingRedis(redis);
    expect(await sweep(adapter)).toMatchObject({
      why: 'unreachable',
      detail: expect.stringContaining('loads its data set') as unknown,
    });
    await loading.end();
    expect(await sweep(adapter)).toBe('seen');
  }, 60_000);

  it('killed under a warm connection: unreachable at once, and seen again after a restart', async () => {
    const adapter = adapterFor({ url: redis.url });
    await adapter.greet(limitOf());
    await redis.kill();
    expect(await sweep(adapter)).toMatchObject({
      why: 'unreachable',
      detail: `127.0.0.1:${redis.port}: nothing listens there`,
    });
    await redis.restart();
    expect(await sweep(adapter)).toBe('seen');
  });
});

describe('what is no Redis', () => {
  it('nothing listens: unreachable', async () => {
    const port = await freePort();
    expect(await sweep(adapterFor({ url: `redis://127.0.0.1:${port}` }))).toMatchObject({
      why: 'unreachable',
      detail: `127.0.0.1:${port}: nothing listens there`,
    });
  });

  it('an HTTP server: not the Redis protocol', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    try {
      const error = await adapterFor({ url: `redis://127.0.0.1:${port}` })
        .greet(limitOf())
        .catch((thrown: unknown) => thrown as DoctorError);
      expect(error).toMatchObject({ code: 'EVIDENCE_MALFORMED' });
    } finally {
      server.close();
    }
  });

  it.each(['http://localhost', 'redis:', 'nonsense'])('refuses the url %s', (url) => {
    expect(() => createRedisAdapter({ url })).toThrow('[CONFIG_INVALID]');
  });
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it never held');
}
