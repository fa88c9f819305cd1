import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { credentials } from '@grpc/grpc-js';
import { ensureStateFiles, signGrant, type Serving, type StateFiles } from '@starr/doctor-host';
import {
  statusOf,
  type ApplyEvent,
  type CheckResult,
  type Doctor,
  type PlanRequest,
  type SealedPlan,
} from '@starr/kernel';
import {
  busyRedis,
  loadingRedis,
  makeTemporaryFolder,
  startRedis,
  type LabRedis,
  type TemporaryFolder,
} from '@starr/lab';
import { bearerTokenInterceptor, createDoctorClient } from '@starr/wire';
import { compose } from './compose.ts';
import { readConfig } from './config.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

const CHECKS = ['cache.hit-rate', 'cache.memory'];
const SESSIONS = { kind: 'redis', name: 'sessions' };
const never = () => new AbortController().signal;

let redis: LabRedis;
let folder: TemporaryFolder;
let state: StateFiles;
let configPath: string;
let serving: Serving;
let doctor: Doctor & { close(): void };

beforeAll(async () => {
  [redis, folder] = await Promise.all([
    startRedis({
      settings: { maxmemory: '4mb', 'maxmemory-policy': 'noeviction' },
      aclUsers: [
        'starr on >look resetkeys -@all +info +time +client|list',
        'starr-act on >act resetkeys -@all +multi +info +config|get +config|set +client|setname +client|list +client|kill',
      ],
    }),
    makeTemporaryFolder('cache-doctor'),
  ]);
  state = await ensureStateFiles(join(folder.path, 'state'));
  configPath = join(folder.path, 'starr.yaml');
  await writeFile(join(folder.path, 'password'), 'look\n');
  await writeFile(configPath, yaml());
  const env = { ACT: 'act' };
  serving = await compose(await readConfig({ configPath, endsWithStdin: false }, env));
  doctor = createDoctorClient({
    address: `127.0.0.1:${serving.port}`,
    credentials: credentials.createInsecure(),
    interceptors: [bearerTokenInterceptor(state.token)],
  });
}, 240_000);

afterAll(async () => {
  doctor.close();
  await serving.stop();
  await redis.stop();
  await folder.remove();
});

function yaml(): string {
  return `
environment: test
stateDir: state
listen: { cacheDoctor: 0 }
targets:
  redis:
    - name: sessions
      url: redis://starr@127.0.0.1:${redis.port}
      password: { file: ${join(folder.path, 'password')} }
      acting: { user: starr-act, password: { env: ACT } }
      thresholds: { cache.hit-rate: { minLookups: 50, warmUpMs: 0 } }
`;
}

async function examine(notBefore?: Date): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  const request = {
    windowMs: 60_000,
    budgetMs: 3000,
    ...(notBefore && { evidenceNotBefore: notBefore }),
  };
  for await (const result of doctor.examine(request, never())) results.push(result);
  return results.toSorted((a, b) => a.diagnostic.localeCompare(b.diagnostic));
}

async function check(id: string): Promise<CheckResult> {
  return (await examine()).find(({ diagnostic }) => diagnostic === id)!;
}

function measured(result: CheckResult, name: string): number | undefined {
  return result.verdict.measured.find((one) => one.name === name)?.value;
}

async function planFor(request: Partial<PlanRequest>): Promise<SealedPlan> {
  const whole = { remedy: 'cache.set-eviction-policy', target: 'sessions', params: {}, ...request };
  for await (const event of doctor.plan(whole, never())) {
    if (event.kind === 'plan') return event.plan;
    if (event.kind === 'refused') throw new Error(event.says);
  }
  throw new Error('neither plan nor refusal');
}

async function apply(plan: SealedPlan): Promise<ApplyEvent | undefined> {
  const operationId = plan.operations[0]!.id;
  const grant = signGrant(
    {
      v: 1,
      planHash: plan.hash,
      operationId,
      actor: 'test',
      reason: 'test',
      expiresAt: new Date(Date.now() + 60_000).toISOString(),
    },
    state.grantPrivateKeyPem,
  );
  let last: ApplyEvent | undefined;
  for await (const event of doctor.apply({ seal: plan.seal, operationId, grant }, never()))
    last = event;
  return last;
}

/** Writes until the server refuses: how many it took. */
async function fill(): Promise<number> {
  for (let key = 0; key < 10_000; key += 1) {
    const refused = await redis
      .command('SET', `fill:${key}`, 'x'.repeat(65_536))
      .then(() => false)
      .catch((error: unknown) => String(error).includes('OOM'));
    if (refused) return key;
  }
  throw new Error('it was never full');
}

const policyNow = async (): Promise<unknown> =>
  await redis.command('CONFIG', 'GET', 'maxmemory-policy');

describe('the configuration of cache-doctor', () => {
  it('is its part of starr.yaml, secrets by reference and asked for at each connect', async () => {
    const config = await readConfig({ configPath, endsWithStdin: false }, { ACT: 'act' });
    expect(config.targets).toMatchObject([
      { name: 'sessions', connection: { acting: { user: 'starr-act' } } },
    ]);
    const password = config.targets[0]!.connection.password;
    expect(typeof password === 'function' && (await password())).toBe('look');
    expect(JSON.stringify(config.targets)).not.toMatch(/"(look|act)"/);
  });

  it('fails with the key of a CA file that is not there', async () => {
    const broken = join(folder.path, 'broken.yaml');
    await writeFile(
      broken,
      yaml().replace('password:', 'tls: { caFile: /none.pem }\n      password:'),
    );
    await expect(
      readConfig({ configPath: broken, endsWithStdin: false }, {}),
    ).rejects.toMatchObject({
      code: 'CONFIG_UNREADABLE',
      details: { field: 'targets.redis[0].tls.caFile', received: '/none.pem' },
    });
  });
});

describe('cache-doctor as a service', () => {
  beforeEach(async () => {
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    await redis.command('FLUSHALL');
  });

  it('describes what it can be asked and what it can do', async () => {
    const description = await doctor.describe();
    expect(description.diagnostics.map(({ id }) => id).toSorted()).toEqual(CHECKS);
    expect(description.remedies).toMatchObject([
      { id: 'cache.set-eviction-policy', reversible: true },
    ]);
    expect(description.targets).toEqual([{ name: 'sessions', kind: 'redis', acts: true }]);
  });

  it('answers every check of a healthy server with a handful of commands and no lookup', async () => {
    const results = await examine();
    expect(results.map(({ diagnostic }) => diagnostic)).toEqual(CHECKS);
    expect(results.map(({ verdict }) => statusOf(verdict))).toEqual(['healthy', 'healthy']);
    const commands = results.reduce((sum, { footprint }) => sum + (footprint['commands'] ?? 0), 0);
    expect(commands).toBeLessThanOrEqual(8);
    expect(String(await redis.command('INFO', 'stats'))).toMatch(
      /keyspace_hits:0\r\nkeyspace_misses:0/,
    );
  });

  it('finds a cache that nobody hits, once it knows the window', async () => {
    await examine();
    await new Promise((resolve) => setTimeout(resolve, 1100)); // samples that are closer say nothing
    for (let miss = 0; miss < 60; miss += 1) await redis.command('GET', `nothing:${miss}`);
    const result = await check('cache.hit-rate');
    expect(result.verdict.findings).toMatchObject([
      { severity: 'warning', about: SESSIONS, says: expect.stringContaining('hit rate 0 %') },
    ]);
  });

  it('resolves the clients of the server and their addresses', async () => {
    const socket = connect(redis.port, redis.host);
    socket.write('CLIENT SETNAME checkout\r\n');
    await once(socket, 'data');
    try {
      const client = { kind: 'client', name: 'checkout@127.0.0.1', scope: 'sessions' };
      const address = { kind: 'address', name: '127.0.0.1' };
      expect(await doctor.resolve([address], never())).toEqual(
        expect.arrayContaining([
          { from: client, is: 'uses', to: SESSIONS },
          { from: client, is: 'connects-from', to: address },
        ]),
      );
    } finally {
      socket.destroy();
    }
  });

  it('names a full server that cannot evict, lets it evict once, proves it, and takes it back', async () => {
    await examine();
    await fill();
    const full = await check('cache.memory');
    expect(full.verdict.findings).toMatchObject([
      {
        severity: 'critical',
        about: SESSIONS,
        says: expect.stringMatching(/refused with OOM .*policy noeviction evicts nothing/),
      },
    ]);
    expect(measured(full, 'pressureRatio')).toBeGreaterThan(0.95);
    expect(measured(full, 'rejectedWritesPerMinute')).toBeGreaterThan(0);

    const plan = await planFor({ params: { policy: 'allkeys-lru' } });
    expect(plan.operations[0]?.byHand).toBe(
      `redis-cli -h 127.0.0.1 -p ${redis.port} --user starr-act --askpass CONFIG SET maxmemory-policy allkeys-lru`,
    );
    expect(plan.warnings.join()).toContain('CONFIG REWRITE');
    expect(await policyNow()).toContainEqual('noeviction');
    const end = await apply(plan);
    expect(end).toMatchObject({ kind: 'end', end: { outcome: 'applied' } });
    expect(await apply(plan)).toEqual(end);
    expect(await policyNow()).toContainEqual('allkeys-lru');
    const operation = { seal: plan.seal, operationId: plan.operations[0]!.id };
    expect(await doctor.probe(operation)).toMatchObject({ state: 'applied' });

    const actedAt = new Date();
    await redis.command('SET', 'after', 'x'.repeat(65_536));
    const cured = (await examine(actedAt)).find(({ diagnostic }) => diagnostic === 'cache.memory')!;
    expect(cured.verdict.findings).toEqual([]);
    expect(measured(cured, 'evictableRatio')).toBe(1);

    const receipt = end?.kind === 'end' && end.end.outcome === 'applied' ? end.end.receipt : '';
    const undo = await planFor({ undo: [receipt] });
    expect(undo.operations[0]?.says).toBe('set maxmemory-policy from allkeys-lru to noeviction');
    expect(await apply(undo)).toMatchObject({ end: { outcome: 'applied' } });
    expect(await policyNow()).toContainEqual('noeviction');
  });

  it('refuses to act on a server that changed since the plan', async () => {
    const plan = await planFor({ params: { policy: 'allkeys-lru' } });
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lfu');
    expect(await apply(plan)).toMatchObject({ end: { outcome: 'refused' } });
    expect(await policyNow()).toContainEqual('allkeys-lfu');
  });

  it('declares an operation that was never begun not applied, for good', async () => {
    const plan = await planFor({ params: { policy: 'allkeys-lru' } });
    const operation = { seal: plan.seal, operationId: plan.operations[0]!.id };
    expect(await doctor.probe(operation)).toMatchObject({ state: 'not-applied' });
    await expect(apply(plan)).rejects.toMatchObject({ code: 'REMEDY_TOMBSTONED' });
    expect(await policyNow()).toContainEqual('noeviction');
  });

  it.each([
    ['no policy', {}, 'policy'],
    ['a hostile policy', { policy: 'allkeys-lru\r\nFLUSHALL' }, 'policy'],
    ['an unknown parameter', { policy: 'allkeys-lru', force: 'yes' }, 'force'],
  ])('refuses %s and says which', async (_, params, says) => {
    await expect(planFor({ params })).rejects.toMatchObject({
      code: 'REMEDY_PARAMETERS',
      message: expect.stringContaining(says),
    });
  });

  it('says what to grant: what is lacking, run verbatim, is lacking no more', async () => {
    await redis.command('ACL', 'SETUSER', 'starr', '-client|list');
    const { lacking } = await doctor.grants('sessions', never());
    expect(lacking).toEqual(['ACL SETUSER starr +client|list']);
    for (const line of lacking) await redis.command(...line.split(' '));
    expect((await doctor.grants('sessions', never())).lacking).toEqual([]);
  });
});

describe('the bad days of a Redis, all within the budget', () => {
  async function blindOf(): Promise<readonly [string, string | undefined][]> {
    const begun = performance.now();
    const results = await examine(new Date());
    expect(performance.now() - begun).toBeLessThan(4500);
    expect(results.map(({ diagnostic }) => diagnostic)).toEqual(CHECKS);
    expect(results.map(({ verdict }) => statusOf(verdict))).toEqual(['blind', 'blind']);
    return results.flatMap(({ verdict }) =>
      (verdict.blind ?? []).map(({ why, cure }) => [why, cure] as const),
    );
  }

  it('NOPERM: denied, and the cure, run verbatim, cures it', async () => {
    await redis.command('ACL', 'SETUSER', 'starr', '-info');
    const [[why, cure] = ['', '']] = await blindOf();
    expect([why, cure]).toEqual(['denied', 'ACL SETUSER starr +info']);
    await redis.command(...String(cure).split(' '));
    expect((await examine()).map(({ verdict }) => statusOf(verdict))).toEqual([
      'healthy',
      'healthy',
    ]);
  });

  it('a script that never ends: unreachable, and the cure, run verbatim, cures it', async () => {
    const busy = await busyRedis(redis);
    try {
      const [[why, cure] = ['', '']] = await blindOf();
      expect([why, cure]).toEqual(['unreachable', 'SCRIPT KILL']);
      await redis.command(...String(cure).split(' '));
    } finally {
      await busy.end();
    }
    expect((await check('cache.memory')).verdict.measured).not.toEqual([]);
  });

  it('stopped: timed out', async () => {
    redis.pause();
    try {
      expect((await blindOf()).map(([why]) => why)).toEqual(['timeout', 'timeout']);
    } finally {
      redis.resume();
    }
  });

  it('a password that is no longer right: denied, as soon as a new connection is needed', async () => {
    await redis.command('ACL', 'SETUSER', 'starr', 'resetpass', '>another');
    await redis.command('CLIENT', 'KILL', 'USER', 'starr');
    expect((await blindOf()).map(([why]) => why)).toEqual(['denied', 'denied']);
    await writeFile(join(folder.path, 'password'), 'another\n');
    expect((await check('cache.memory')).verdict.measured).not.toEqual([]);
  });

  it('loading its data: unreachable', async () => {
    await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    const loading = await loadingRedis(redis, { keys: 50_000 });
    // ACL users and settings of the file are there from the start; the password is that of the file again.
    await writeFile(join(folder.path, 'password'), 'look\n');
    try {
      expect((await blindOf()).map(([why]) => why)).toEqual(['unreachable', 'unreachable']);
    } finally {
      await loading.end();
    }
  });

  it('killed: unreachable, and seen again when it is back', async () => {
    await redis.kill();
    expect((await blindOf()).map(([why]) => why)).toEqual(['unreachable', 'unreachable']);
    await redis.restart();
    const memory = await check('cache.memory');
    expect(memory.verdict.changes).toMatchObject([{ says: 'sessions started' }]);
  });
});

describe('cache-doctor as a process', () => {
  it('starts, says so, and leaves no connection behind by kill -9', async () => {
    const main = fileURLToPath(new URL('main.ts', import.meta.url));
    const child = spawn(process.execPath, ['--conditions=@starr/source', main], {
      env: { PATH: process.env['PATH'], STARR_CONFIG: configPath, ACT: 'act' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const { ready, port } = JSON.parse(String(line)) as { ready: string; port: number };
    expect(ready).toBe('cache-doctor');
    const token = (await readFile(join(folder.path, 'state/token'), 'utf8')).trim();
    const other = createDoctorClient({
      address: `127.0.0.1:${port}`,
      credentials: credentials.createInsecure(),
      interceptors: [bearerTokenInterceptor(token)],
    });
    await other.grants('sessions', never());
    const ours = async () =>
      String(await redis.command('CLIENT', 'LIST'))
        .split('\n')
        .filter((each) => each.includes(' user=starr ')).length;
    const before = await ours();
    child.kill('SIGKILL');
    await once(child, 'exit');
    other.close();
    for (let tries = 0; (await ours()) >= before && tries < 100; tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await ours()).toBe(before - 1);
  });
});
