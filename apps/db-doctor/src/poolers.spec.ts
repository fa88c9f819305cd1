import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { credentials } from '@grpc/grpc-js';
import { ensureStateFiles, signGrant, type Serving, type StateFiles } from '@starr/doctor-host';
import {
  statusOf,
  type ApplyEvent,
  type CheckResult,
  type Doctor,
  type Entity,
  type PlanRequest,
  type SealedPlan,
} from '@starr/kernel';
import {
  fillSlots,
  installPgBouncer,
  makeTemporaryFolder,
  POOLER_ROLES,
  startPgBouncer,
  startPostgres,
  waitUntil,
  type LabPgBouncer,
  type LabPostgres,
  type PooledClient,
  type TemporaryFolder,
} from '@starr/lab';
import { bearerTokenInterceptor, createDoctorClient } from '@starr/wire';
import { compose } from './compose.ts';
import { readConfig } from './config.ts';

const never = () => new AbortController().signal;
const binary = await installPgBouncer();
const withPgBouncer =
  binary.kind === 'present' || process.env['CI'] === 'true' ? describe : describe.skip;

withPgBouncer('db-doctor with a pooler before its target', () => {
  let server: LabPostgres;
  let pooler: LabPgBouncer;
  let folder: TemporaryFolder;
  let state: StateFiles;
  let serving: Serving;
  let doctor: Doctor & { close(): void };
  const clients: PooledClient[] = [];

  beforeAll(async () => {
    [server, folder] = await Promise.all([
      startPostgres({ maxConnections: 20 }),
      makeTemporaryFolder('db-doctor-pooler'),
    ]);
    await server.query(
      'CREATE ROLE looker LOGIN; GRANT pg_monitor TO looker; CREATE ROLE shop LOGIN',
    );
    pooler = await startPgBouncer({
      postgres: server,
      users: ['shop'],
      poolMode: 'transaction',
      settings: { default_pool_size: '2' },
    });
    state = await ensureStateFiles(join(folder.path, 'state'));
    const configPath = join(folder.path, 'starr.yaml');
    await writeFile(join(folder.path, 'password'), 'not-asked-for\n');
    await writeFile(configPath, yaml());
    serving = await compose(await readConfig({ configPath, endsWithStdin: false }, {}));
    doctor = createDoctorClient({
      address: `127.0.0.1:${serving.port}`,
      credentials: credentials.createInsecure(),
      interceptors: [bearerTokenInterceptor(state.token)],
    });
  }, 180_000);

  afterAll(async () => {
    for (const client of clients) client.hangUp();
    doctor.close();
    await serving.stop();
    await pooler.stop();
    await server.stop();
    await folder.remove();
  });

  function yaml(): string {
    return `
environment: test
stateDir: state
listen: { dbDoctor: 0 }
targets:
  postgres:
    - name: orders
      url: ${server.url('looker')}
      poolers:
        - name: bouncer
          url: postgres://${POOLER_ROLES.looks}@${pooler.host}:${pooler.port}
          password: { file: ${join(folder.path, 'password')} }
          acting: { user: ${POOLER_ROLES.acts} }
`;
  }

  async function client(applicationName: string): Promise<PooledClient> {
    const one = await pooler.client({ applicationName, user: 'shop' });
    clients.push(one);
    return one;
  }

  async function examine(): Promise<ReadonlyMap<string, CheckResult>> {
    const results = new Map<string, CheckResult>();
    for await (const result of doctor.examine({ windowMs: 1_800_000, budgetMs: 3000 }, never()))
      results.set(result.diagnostic, result);
    return results;
  }

  async function plan(request: Omit<PlanRequest, 'target'>): Promise<SealedPlan> {
    for await (const event of doctor.plan({ ...request, target: 'orders' }, never())) {
      if (event.kind === 'plan') return event.plan;
      if (event.kind === 'refused') throw new Error(event.says);
    }
    throw new Error('neither plan nor refusal');
  }

  async function apply(sealed: SealedPlan): Promise<ApplyEvent | undefined> {
    const operationId = sealed.operations[0]!.id;
    const grant = signGrant(
      {
        v: 1,
        planHash: sealed.hash,
        operationId,
        actor: 'test',
        reason: 'test',
        expiresAt: new Date(Date.now() + 60_000).toISOString(),
      },
      state.grantPrivateKeyPem,
    );
    let last: ApplyEvent | undefined;
    for await (const event of doctor.apply({ seal: sealed.seal, operationId, grant }, never()))
      last = event;
    return last;
  }

  it('says that it acts, with an acting user of the pooler alone', async () => {
    expect((await doctor.describe()).targets).toEqual([
      { name: 'orders', kind: 'postgres', acts: true },
    ]);
  });

  it('resolves a backend of the pooler to the client that it serves', async () => {
    const holder = await client('checkout');
    await holder.query('BEGIN');
    const [row] = await server.query(
      `SELECT pid || '/' || to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS name
         FROM pg_stat_activity WHERE usename = 'shop'`,
    );
    const backend: Entity = { kind: 'backend', name: String(row!['name']), scope: 'orders' };
    const served: Entity = { kind: 'client', name: 'checkout@127.0.0.1', scope: 'orders' };
    const pool: Entity = { kind: 'pooler-pool', name: 'bouncer/postgres/shop', scope: 'orders' };
    expect(await doctor.resolve([backend], never())).toEqual(
      expect.arrayContaining([
        { from: backend, is: 'serves', to: served },
        { from: served, is: 'uses', to: pool },
      ]),
    );
    expect(await doctor.resolve([pool], never())).toEqual(
      expect.arrayContaining([
        { from: pool, is: 'of', to: { kind: 'pooler', name: 'bouncer', scope: 'orders' } },
        { from: pool, is: 'of', to: { kind: 'postgres', name: 'orders' } },
      ]),
    );
    await holder.query('COMMIT');
  });

  it('makes a pool larger once, proves it, and takes it back from the receipt', async () => {
    for (const name of ['a', 'b']) await (await client(name)).query('BEGIN');
    const late = (await client('late')).query('SELECT 1');
    await waitUntil(
      async () => {
        const rows = await pooler.console('SHOW POOLS');
        return rows.some((row) => Number(row['cl_waiting']) === 1) || undefined;
      },
      { what: 'a client to wait' },
    );
    const made = await plan({ remedy: 'db.resize-pgbouncer-pool', params: {} });
    const end = await apply(made);
    expect(end).toMatchObject({ kind: 'end', end: { outcome: 'applied' } });
    expect(await apply(made)).toEqual(end);
    await late;
    const operation = { seal: made.seal, operationId: made.operations[0]!.id };
    expect(await doctor.probe(operation)).toMatchObject({ state: 'applied' });
    if (end?.kind !== 'end' || !('receipt' in end.end)) throw new Error('no receipt');
    const back = await plan({
      remedy: 'db.resize-pgbouncer-pool',
      params: {},
      undo: [end.end.receipt],
    });
    expect(await apply(back)).toMatchObject({ end: { outcome: 'applied' } });
    const config = await pooler.console('SHOW CONFIG');
    expect(config.find(({ key }) => key === 'default_pool_size')?.['value']).toBe('2');
  });

  it('sweeps on over the console when the server refuses it, each check with its reason', async () => {
    const filled = await fillSlots(server, 0, { user: 'shop' });
    // The session that was held is lost, and a full server lets nobody in.
    await server.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'starr'`,
    );
    const more = await fillSlots(server, 0, { user: 'shop' });
    const results = await examine();
    const pools = results.get('db.pgbouncer-pools');
    expect(pools?.verdict.measured.map(({ name }) => name)).toContain('pooledServers');
    expect(pools?.verdict.blind?.[0]?.detail).toContain('connection refused');
    expect(statusOf(results.get('db.connection-leak')!.verdict)).toBe('blind');
    await Promise.all([filled.end(), more.end()]);
  });
});
