import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { isBlindSpot, isPartial, statusOf, type Adapter, type AnyDiagnostic } from '@starr/kernel';
import { startPostgres, type LabPostgres } from '@starr/lab';
import pg from 'pg';
import { createPostgresAdapter } from './adapter/create-postgres-adapter.ts';
import { postgresCatalog } from './catalog.ts';
import type { PostgresAct } from './postgres-act.ts';
import type { PostgresRequest } from './postgres-request.ts';
import { see } from './test/examine-once.ts';
import { limitsOf } from './test/limits-of.ts';
import { configOf, createRoles, limitOf, lookOf } from './test/lab-target.ts';
import { MAJORS } from './test/majors.ts';

const SCALE = 2;
const CLIENTS = 6;
/** Rates are judged from here on. */
const LOAD_MS = 8000;

jest.setTimeout(120_000); // a loaded machine is slow, not wrong

/** The tables of `pgbench -i`, by its own statements. */
const TABLES = `
  CREATE TABLE pgbench_branches (bid int PRIMARY KEY, bbalance int, filler char(88)) WITH (fillfactor = 100);
  CREATE TABLE pgbench_tellers (tid int PRIMARY KEY, bid int, tbalance int, filler char(84)) WITH (fillfactor = 100);
  CREATE TABLE pgbench_accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84)) WITH (fillfactor = 100);
  CREATE TABLE pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
  INSERT INTO pgbench_branches SELECT n, 0 FROM generate_series(1, ${SCALE}) n;
  INSERT INTO pgbench_tellers SELECT n, (n - 1) / 10 + 1, 0 FROM generate_series(1, ${SCALE * 10}) n;
  INSERT INTO pgbench_accounts SELECT n, (n - 1) / 100000 + 1, 0, '' FROM generate_series(1, ${SCALE * 100_000}) n;
  GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO shop`;

/** The transaction of pgbench (tpcb-like), as an application with a pool would send it. */
async function transact(pool: pg.Pool): Promise<void> {
  const [aid, tid, delta] = [
    draw(SCALE * 100_000),
    draw(SCALE * 10),
    Math.floor(Math.random() * 10_000) - 5000,
  ];
  const bid = Math.ceil(tid / 10);
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query('UPDATE pgbench_accounts SET abalance = abalance + $1 WHERE aid = $2', [
      delta,
      aid,
    ]);
    await client.query('SELECT abalance FROM pgbench_accounts WHERE aid = $1', [aid]);
    await client.query('UPDATE pgbench_tellers SET tbalance = tbalance + $1 WHERE tid = $2', [
      delta,
      tid,
    ]);
    await client.query('UPDATE pgbench_branches SET bbalance = bbalance + $1 WHERE bid = $2', [
      delta,
      bid,
    ]);
    await client.query(
      'INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES ($1, $2, $3, $4, CURRENT_TIMESTAMP)',
      [tid, bid, aid, delta],
    );
    await client.query('END');
  } finally {
    client.release();
  }
}

function draw(most: number): number {
  return 1 + Math.floor(Math.random() * most);
}

describe.each(MAJORS)('a healthy PostgreSQL %i under the load of pgbench', (major) => {
  let server: LabPostgres;
  let adapter: Adapter<PostgresRequest, PostgresAct>;
  let pool: pg.Pool;
  let stop = false;
  let transactions = 0;
  let load: Promise<unknown>;

  beforeAll(async () => {
    server = await startPostgres({ major, statStatements: true });
    await createRoles(server);
    await server.query(TABLES);
    await server.query('VACUUM ANALYZE');
    adapter = createPostgresAdapter(configOf(server));
    pool = new pg.Pool({
      connectionString: server.url('shop'),
      application_name: 'checkout',
      max: CLIENTS,
    });
    pool.on('error', () => undefined); // the server may end before its last session has
    const worker = async () => {
      while (!stop) {
        await transact(pool);
        transactions += 1;
      }
    };
    load = Promise.all(Array.from({ length: CLIENTS }, worker));
  }, 180_000);
  afterAll(async () => {
    stop = true;
    await load;
    await pool.end();
    await adapter.close();
    await server.stop();
  });

  /** All reads of all checks at one moment, as a sweep or the sampler takes them. */
  async function sample(): Promise<ReadonlyMap<string, unknown>> {
    const look = lookOf({ ...(await adapter.greet(limitOf())), target: 'orders' });
    const reads = new Map(
      postgresCatalog.diagnostics
        .flatMap(({ reads: each }) => Object.values(each))
        .map((read) => read.wrap?.inner ?? read)
        .map((read) => read.wrap?.inner ?? read)
        .map((read) => [read.id, read]),
    );
    const values = [...reads.values()].map(
      async (read) => [read.id, await see(read, adapter, look)] as const,
    );
    return new Map(await Promise.all(values));
  }

  it('gives no finding and is blind to nothing', async () => {
    const before = await sample();
    const startedMs = performance.now();
    await new Promise((resolve) => setTimeout(resolve, LOAD_MS));
    const done = transactions;
    const after = await sample();
    const elapsedMs = performance.now() - startedMs;
    expect(done).toBeGreaterThan(100);
    expect([...after].filter(([, value]) => isBlindSpot(value))).toEqual([]);
    const look = lookOf({ ...(await adapter.greet(limitOf())), target: 'orders' });
    const verdicts = postgresCatalog.diagnostics.map(
      (diagnostic: AnyDiagnostic<PostgresRequest>) => {
        const seen = Object.entries(diagnostic.reads).map(([name, read]) => {
          const inner = read.wrap?.inner ?? read;
          const isWindowed = read.wrap?.as === 'windowed' || inner.wrap?.as === 'windowed';
          const { id } = inner.wrap?.inner ?? inner;
          return [
            name,
            isWindowed
              ? { before: before.get(id), after: after.get(id), elapsedMs }
              : after.get(id),
          ];
        });
        return [
          diagnostic.id,
          diagnostic.judge(Object.fromEntries(seen) as never, limitsOf(diagnostic), look),
        ] as const;
      },
    );
    expect(verdicts.flatMap(([, { findings }]) => findings ?? [])).toEqual([]);
    expect(verdicts.filter(([, verdict]) => statusOf(verdict) !== 'healthy')).toEqual([]);
    expect(verdicts.filter(([, verdict]) => isPartial(verdict))).toEqual([]);
  });
});
