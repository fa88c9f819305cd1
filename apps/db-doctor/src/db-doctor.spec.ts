import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { credentials } from '@grpc/grpc-js';
import { ensureStateFiles, signGrant, type Serving, type StateFiles } from '@starr/doctor-host';
import {
  statusOf,
  type ApplyEvent,
  type CheckResult,
  type Doctor,
  type Entity,
  type SealedPlan,
} from '@starr/kernel';
import {
  leakConnections,
  lockTable,
  makeTemporaryFolder,
  startPostgres,
  type Fault,
  type LabPostgres,
  type TemporaryFolder,
} from '@starr/lab';
import { postgresCatalog } from '@starr/postgres';
import { bearerTokenInterceptor, createDbClient, createDoctorClient } from '@starr/wire';
import { compose } from './compose.ts';
import { readConfig } from './config.ts';

const CHECKS = postgresCatalog.diagnostics.map(({ id }) => id).toSorted();
const never = () => new AbortController().signal;

let server: LabPostgres;
let folder: TemporaryFolder;
let state: StateFiles;
let configPath: string;
let serving: Serving;
let doctor: Doctor & { close(): void };
const faults: Fault[] = [];

beforeAll(async () => {
  [server, folder] = await Promise.all([
    startPostgres({ statStatements: true }),
    makeTemporaryFolder('db-doctor'),
  ]);
  await server.query(
    `CREATE ROLE looker LOGIN; GRANT pg_monitor TO looker; CREATE ROLE actor LOGIN;
     GRANT pg_read_all_stats, pg_signal_backend TO actor; CREATE ROLE shop LOGIN`,
  );
  state = await ensureStateFiles(join(folder.path, 'state'));
  configPath = join(folder.path, 'starr.yaml');
  await writeFile(join(folder.path, 'password'), 'from-a-file\n');
  await writeFile(configPath, yaml());
  serving = await compose(await readConfig({ configPath, endsWithStdin: false }, {}));
  doctor = createDoctorClient({
    address: `127.0.0.1:${serving.port}`,
    credentials: credentials.createInsecure(),
    interceptors: [bearerTokenInterceptor(state.token)],
  });
}, 180_000);

afterAll(async () => {
  doctor.close();
  await serving.stop();
  await server.stop();
  await folder.remove();
});

afterEach(() => Promise.all(faults.splice(0).map((fault) => fault.end())));

function yaml(): string {
  return `
environment: test
stateDir: state
listen: { dbDoctor: 0 }
targets:
  postgres:
    - name: orders
      url: ${server.url('looker')}
      password: { file: ${join(folder.path, 'password')} }
      acting: { user: actor }
      protect: [ledger]
      thresholds: { db.connection-use: { criticalRatio: 0.9 } }
`;
}

async function examine(): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for await (const result of doctor.examine({ windowMs: 1_800_000, budgetMs: 3000 }, never()))
    results.push(result);
  return results.toSorted((a, b) => a.diagnostic.localeCompare(b.diagnostic));
}

async function planFor(params: Record<string, string | number>): Promise<SealedPlan> {
  const request = { remedy: 'db.terminate-idle-sessions', target: 'orders', params };
  for await (const event of doctor.plan(request, never())) {
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

describe('the configuration of db-doctor', () => {
  it('is its part of starr.yaml, secrets by reference and asked for at each connect', async () => {
    const config = await readConfig({ configPath, endsWithStdin: false }, {});
    expect(config.targets).toMatchObject([
      {
        name: 'orders',
        protect: ['ledger'],
        connection: {
          host: '127.0.0.1',
          port: server.port,
          database: 'postgres',
          diagnosing: { user: 'looker' },
          acting: { user: 'actor' },
        },
        thresholds: { 'db.connection-use': { criticalRatio: 0.9 } },
      },
    ]);
    const password = config.targets[0]!.connection.diagnosing.password;
    expect(typeof password === 'function' && (await password())).toBe('from-a-file');
    await writeFile(join(folder.path, 'password'), 'rotated\n');
    expect(typeof password === 'function' && (await password())).toBe('rotated');
  });
});

describe('db-doctor as a service', () => {
  it('describes what it can be asked and what it can do', async () => {
    const description = await doctor.describe();
    expect(description.diagnostics.map(({ id }) => id).toSorted()).toEqual(CHECKS);
    expect(description.remedies).toContainEqual(
      expect.objectContaining({ id: 'db.terminate-idle-sessions', reversible: false }),
    );
    expect(description.targets).toEqual([{ name: 'orders', kind: 'postgres', acts: true }]);
  });

  it('answers every check of a healthy server, cheaply, with the thresholds of the target', async () => {
    const results = await examine();
    expect(results.map(({ diagnostic }) => diagnostic)).toEqual(CHECKS);
    expect(results.map(({ verdict }) => statusOf(verdict))).toEqual(CHECKS.map(() => 'healthy'));
    const use = results.find(({ diagnostic }) => diagnostic === 'db.connection-use');
    expect(use?.thresholds).toMatchObject({ criticalRatio: 0.9, warnRatio: 0.8 });
    const queries = results.reduce((sum, { footprint }) => sum + (footprint['queries'] ?? 0), 0);
    // what several ask is asked once; of what is windowed there are two samples
    expect(queries).toBeLessThanOrEqual(CHECKS.length * 2);
    const ours = await server.query(
      `SELECT 1 FROM pg_stat_activity WHERE application_name = 'starr'`,
    );
    expect(ours).toHaveLength(2); // one looks, one is held for acting
  });

  it('resolves addresses, clients, applications and backends, healthy or not', async () => {
    faults.push(await leakConnections(server, 2, { user: 'shop', applicationName: 'checkout' }));
    const [row] = await server.query(
      `SELECT pid || '/' || to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS name
         FROM pg_stat_activity WHERE application_name = 'checkout' LIMIT 1`,
    );
    const client: Entity = { kind: 'client', name: 'checkout@127.0.0.1', scope: 'orders' };
    const backend: Entity = { kind: 'backend', name: String(row!['name']), scope: 'orders' };
    const address: Entity = { kind: 'address', name: '127.0.0.1' };
    const application: Entity = { kind: 'application', name: 'checkout', scope: 'orders' };
    expect(await doctor.resolve([backend], never())).toEqual(
      expect.arrayContaining([
        { from: backend, is: 'of', to: client },
        { from: backend, is: 'connects-from', to: address },
      ]),
    );
    expect(await doctor.resolve([address], never())).toEqual(
      expect.arrayContaining([
        { from: client, is: 'connects-from', to: address },
        { from: client, is: 'of', to: application },
        { from: application, is: 'uses', to: { kind: 'postgres', name: 'orders' } },
      ]),
    );
  });

  it('shows who waits for whom, on the connection that it has', async () => {
    const db = createDbClient({
      address: `127.0.0.1:${serving.port}`,
      credentials: credentials.createInsecure(),
      interceptors: [bearerTokenInterceptor(state.token)],
    });
    try {
      expect(await db.lockForest('orders', never())).toMatchObject({ nodes: [], truncated: false });
      await server.query('CREATE TABLE locked (id int)');
      faults.push(await lockTable(server, 'locked', 3, { applicationName: 'migration' }));
      const forest = await db.lockForest('orders', never());
      expect(forest).toMatchObject({
        nodes: [
          { depth: 0, frees: 3, who: { application: 'migration', holds: 'AccessExclusiveLock' } },
          { depth: 1, who: { wait: { table: 'public.locked' } } },
          { depth: 1 },
          { depth: 1 },
        ],
      });
      const { measured } = (await examine()).find(
        ({ diagnostic }) => diagnostic === 'db.lock-waits',
      )!.verdict;
      expect(measured.find(({ name }) => name === 'blockedSessions')?.value).toBe(3);
      await expect(db.lockForest('nobody', never())).rejects.toMatchObject({
        code: 'TARGET_UNKNOWN',
        message: expect.stringContaining('allowed: orders'),
      });
    } finally {
      db.close();
    }
  });

  it('says what to grant: what is lacking, run verbatim, is lacking no more', async () => {
    const { lacking } = await doctor.grants('orders', never());
    expect(lacking).toContain('GRANT pg_use_reserved_connections TO actor;');
    for (const statement of lacking.filter((each) => each.startsWith('GRANT')))
      await server.query(statement);
    expect(
      (await doctor.grants('orders', never())).lacking.filter((each) => each.startsWith('GRANT')),
    ).toEqual([]);
  });

  it('plans, acts once, and proves it: asked again it tells the same end', async () => {
    faults.push(
      await leakConnections(server, 6, { user: 'shop', applicationName: 'checkout' }),
      await leakConnections(server, 2, { user: 'shop', applicationName: 'ledger' }),
    );
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const plan = await planFor({ idleFloorMs: 1000, maxShare: 1 });
    expect(plan.operations).toHaveLength(1);
    expect(plan.warnings.join()).toMatch(/spared: \d+ sessions \(a protected application\)/);
    const operation = { seal: plan.seal, operationId: plan.operations[0]!.id };
    const end = await apply(plan);
    expect(end).toMatchObject({ kind: 'end', end: { outcome: 'applied' } });
    expect(await apply(plan)).toEqual(end);
    expect(await doctor.probe(operation)).toMatchObject({ state: 'applied' });
    const left = await server.query(
      `SELECT application_name AS name, count(*)::int AS n FROM pg_stat_activity
        WHERE application_name IN ('checkout', 'ledger') GROUP BY 1`,
    );
    expect(left).toEqual([{ name: 'ledger', n: 2 }]);
  });

  it('declares an operation that was never begun not applied, for good', async () => {
    faults.push(await leakConnections(server, 1, { user: 'shop', applicationName: 'checkout' }));
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const plan = await planFor({ application: 'checkout', idleFloorMs: 1000 });
    const operation = { seal: plan.seal, operationId: plan.operations[0]!.id };
    expect(await doctor.probe(operation)).toMatchObject({ state: 'not-applied' });
    await expect(apply(plan)).rejects.toMatchObject({ code: 'REMEDY_TOMBSTONED' });
  });

  it.each([
    ['no parameter', {}, 'application, idleFloorMs, or both'],
    ['an unknown parameter', { application: 'a', user: 'b' }, 'user'],
    ['a floor of nothing', { idleFloorMs: 0 }, 'idleFloorMs'],
  ])('refuses %s and says which', async (_, params, says) => {
    await expect(planFor(params)).rejects.toMatchObject({
      code: 'REMEDY_PARAMETERS',
      message: expect.stringContaining(says),
    });
  });
});

describe('db-doctor as a process', () => {
  it('starts, says so, and leaves no session behind by kill -9', async () => {
    const main = fileURLToPath(new URL('main.ts', import.meta.url));
    const child = spawn(process.execPath, ['--conditions=@starr/source', main], {
      env: { PATH: process.env['PATH'], STARR_CONFIG: configPath },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const { ready, port } = JSON.parse(String(line)) as { ready: string; port: number };
    expect(ready).toBe('db-doctor');
    const other = createDoctorClient({
      address: `127.0.0.1:${port}`,
      credentials: credentials.createInsecure(),
      interceptors: [
        bearerTokenInterceptor((await readFile(join(folder.path, 'state/token'), 'utf8')).trim()),
      ],
    });
    await other.grants('orders', never());
    const ours = async () =>
      (await server.query(`SELECT 1 FROM pg_stat_activity WHERE application_name = 'starr'`))
        .length;
    const before = await ours();
    child.kill('SIGKILL');
    await once(child, 'exit');
    other.close();
    for (let tries = 0; (await ours()) > before - 2 && tries < 100; tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await ours()).toBe(before - 2);
  }, 20_000);
});
