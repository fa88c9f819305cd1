import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { isBlindSpot, type Adapter } from '@starr/kernel';
import { startPostgres, type LabPostgres } from '@starr/lab';
import pg from 'pg';
import { createPostgresAdapter } from './adapter/create-postgres-adapter.ts';
import { lockForestFrom, type LockForest, type LockNode } from './lock-forest.ts';
import type { LockParty, LockWait, LockWaits } from './lock-party.ts';
import type { PostgresAct } from './postgres-act.ts';
import type { PostgresRequest } from './postgres-request.ts';
import { lockWaitsRead } from './reads/lock-waits.ts';
import { see } from './test/examine-once.ts';
import { configOf, createRoles, eventually, limitOf, lookOf } from './test/lab-target.ts';
import { MAJORS } from './test/majors.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

const party = (pid: number, blockers: readonly number[] = [], more: Partial<LockWait> = {}) =>
  ({
    pid,
    type: 'client backend',
    application: 'shop',
    ...(blockers.length > 0 && {
      waits: { blockers, prepared: [], ms: 0, mode: '', target: 'row' as const, ...more },
    }),
  }) as unknown as LockParty;
const forestOf = (...parties: LockParty[]) => lockForestFrom({ parties, truncated: false });
const drawn = ({ nodes }: LockForest) =>
  nodes.map(({ key, depth, blocks, frees }) => [`${' '.repeat(depth)}${key}`, blocks, frees]);

describe('the lock forest', () => {
  it('is empty when nobody waits', () => {
    expect(forestOf().nodes).toEqual([]);
  });

  it('puts the sandwich into order: the reader, the DDL behind it, the readers behind that', () => {
    expect(drawn(forestOf(party(1), party(2, [1]), party(3, [2]), party(4, [2])))).toEqual([
      ['1', 1, 3],
      [' 2', 2, 2],
      ['  3', 0, 0],
      ['  4', 0, 0],
    ]);
  });

  it('draws a row queue flat, and knows that its head frees all behind it', () => {
    expect(drawn(forestOf(party(1), party(2, [1]), party(3, [2]), party(4, [2, 3])))).toEqual([
      ['1', 1, 3],
      [' 2', 2, 2],
      ['  3', 1, 0],
      ['  4', 0, 0],
    ]);
  });

  it('frees nobody by ending one of two that are both in the way', () => {
    expect(drawn(forestOf(party(1), party(2), party(3, [1, 2])))).toEqual([
      ['1', 1, 0],
      [' 3', 0, 0],
      ['2', 1, 0],
    ]);
  });

  it('names the prepared transactions behind a 0, and keeps the 0 where they are not known', () => {
    const prepared = [{ gid: 'transfer', owner: 'shop', database: 'shop', ms: 5 }];
    const forest = forestOf(party(3, [0], { prepared }), party(4, [0]));
    expect(forest.nodes.map(({ key, kind }) => [key, kind])).toEqual([
      ['prepared transfer', 'prepared'],
      ['3', 'session'],
      ['0', 'prepared'],
      ['4', 'session'],
    ]);
  });

  it('keeps a blocker that was gone by the time it was looked at', () => {
    const [gone] = forestOf(party(3, [9])).nodes;
    expect(gone).toMatchObject({ key: '9', kind: 'session', depth: 0, frees: 1 });
    expect(gone?.party).toBeUndefined();
  });

  it('ends on a circle, which the server breaks by itself', () => {
    expect(forestOf(party(1, [2]), party(2, [1]), party(3, [2])).nodes).toHaveLength(3);
  });

  it('stays linear: a queue of 400 is put into order in a moment', () => {
    const queue = Array.from({ length: 400 }, (_, n) =>
      party(
        n + 2,
        Array.from({ length: Math.max(1, n) }, (__, k) => k + (n === 0 ? 1 : 2)),
      ),
    );
    const before = process.cpuUsage(); // not the clock: others work on this machine too
    const forest = forestOf(party(1), ...queue);
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(500);
    expect(forest.nodes[0]).toMatchObject({ key: '1', frees: 400 });
  });
});

describe.each(MAJORS)('the lock forest equals pg_blocking_pids on PostgreSQL %i', (major) => {
  let server: LabPostgres;
  let adapter: Adapter<PostgresRequest, PostgresAct>;
  const open: pg.Client[] = [];

  beforeAll(async () => {
    server = await startPostgres({ major, settings: { max_prepared_transactions: '5' } });
    await createRoles(server);
    await server.query(
      `CREATE TABLE orders (id int PRIMARY KEY, v int); CREATE TABLE items (id int);
       INSERT INTO orders SELECT g, 0 FROM generate_series(1, 9) g; GRANT ALL ON orders, items TO shop`,
    );
    adapter = createPostgresAdapter(configOf(server, { database: 'postgres' }));
    await adapter.greet(limitOf());
  }, 180_000);
  afterAll(async () => {
    await adapter.close();
    await server.stop();
  });
  afterEach(async () => {
    for (const client of open.splice(0))
      (
        client as unknown as { connection: { stream: { destroy(): void } } }
      ).connection.stream.destroy();
    for (const { gid } of await server.query('SELECT gid FROM pg_prepared_xacts'))
      await server.query(`ROLLBACK PREPARED '${String(gid)}'`);
    await eventually(async () => (await waiting()) === 0);
  });

  const waiting = async () =>
    (
      await server.query(
        `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' OR application_name = 'party'`,
      )
    ).length;
  const connect = async () => {
    const client = new pg.Client({
      connectionString: server.url('postgres'),
      application_name: 'party',
    });
    client.on('error', () => undefined);
    await client.connect();
    open.push(client);
    return client;
  };
  /** Does its work in a transaction and stays in it. */
  const holder = async (...statements: string[]) => {
    const client = await connect();
    await client.query('BEGIN');
    for (const statement of statements) await client.query(statement);
    return pidOf(client);
  };
  /** Resolves once it waits. */
  const waiter = async (...statements: string[]) => {
    const client = await connect();
    const last = statements.at(-1) ?? '';
    for (const statement of statements.slice(0, -1)) await client.query(statement);
    client.query(last).catch(() => undefined);
    const pid = pidOf(client);
    await eventually(
      async () =>
        (
          await server.query(
            `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid = $1`,
            [pid],
          )
        ).length === 1,
    );
    return pid;
  };
  const look = () => lookOf({ version: server.version });
  const seen = async () => {
    const value = await see(lockWaitsRead, adapter, look());
    if (isBlindSpot(value)) throw new Error(value.detail);
    return value as LockWaits;
  };
  /** All edges of the server, of everybody, against all edges of the forest. */
  const expectEqual = async () => {
    const truth = await server.query(
      `SELECT pid, array(SELECT DISTINCT unnest(pg_blocking_pids(pid)) ORDER BY 1) AS blockers
         FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0 ORDER BY pid`,
    );
    const forest = lockForestFrom(await seen());
    const ours = forest.nodes
      .filter(({ blockedBy }) => blockedBy.length > 0)
      .map((node) => ({ pid: Number(node.key), blockers: pidsOf(node) }))
      .toSorted((a, b) => a.pid - b.pid);
    expect(ours).toEqual(truth);
    expect(truth).not.toHaveLength(0);
    return forest;
  };
  const pidsOf = ({ blockedBy }: LockNode) =>
    [...new Set(blockedBy.map((key) => (key.startsWith('prepared') ? 0 : Number(key))))].toSorted(
      (a, b) => a - b,
    );
  const node = ({ nodes }: LockForest, pid: number) => {
    const found = nodes.find(({ key }) => key === String(pid));
    if (found === undefined) throw new Error(`no node of ${pid}`);
    return found;
  };

  it('in a DDL sandwich', async () => {
    const reader = await holder('SELECT * FROM orders');
    const ddl = await waiter('ALTER TABLE orders ADD COLUMN w int');
    const late = [await waiter('SELECT * FROM orders'), await waiter('SELECT * FROM orders')];
    const forest = await expectEqual();
    expect(node(forest, reader)).toMatchObject({ depth: 0, blocks: 1, frees: 3 });
    expect(node(forest, ddl)).toMatchObject({ depth: 1, blocks: 2, frees: 2 });
    expect(node(forest, ddl).party).toMatchObject({
      waits: {
        mode: 'AccessExclusiveLock',
        target: 'table',
        table: { schema: 'public', name: 'orders' },
      },
    });
    expect(node(forest, reader).party).toMatchObject({ holds: 'AccessShareLock', writes: false });
    for (const pid of late) expect(node(forest, pid)).toMatchObject({ parent: String(ddl) });
  });

  it('behind advisory locks, one of them held by a session that is in no transaction', async () => {
    const session = await connect();
    await session.query('SELECT pg_advisory_lock(7)');
    const pid = pidOf(session);
    const first = await waiter('SELECT pg_advisory_lock(7)');
    await waiter('BEGIN', 'SELECT pg_advisory_xact_lock(7)');
    const forest = await expectEqual();
    expect(node(forest, pid)).toMatchObject({ depth: 0, frees: 2, party: { state: 'idle' } });
    expect(node(forest, pid).party?.transactionMs).toBeUndefined();
    expect(node(forest, first).party?.waits?.target).toBe('advisory lock');
  });

  it('in a row queue', async () => {
    const pid = await holder('UPDATE orders SET v = 1 WHERE id = 1');
    const queue = [];
    for (let n = 0; n < 5; n += 1) queue.push(await waiter('UPDATE orders SET v = 2 WHERE id = 1'));
    const forest = await expectEqual();
    expect(node(forest, pid)).toMatchObject({ depth: 0, frees: 5, party: { writes: true } });
    expect(node(forest, pid).party?.xidAge).toBeGreaterThanOrEqual(1);
    for (const each of queue)
      expect(node(forest, each).party?.waits).toMatchObject({
        target: 'row',
        table: { name: 'orders' },
      });
  });

  it('behind a prepared transaction, which has no session', async () => {
    await holder('UPDATE orders SET v = 1 WHERE id = 1', "PREPARE TRANSACTION 'transfer-1'");
    const pid = await waiter('UPDATE orders SET v = 2 WHERE id = 1');
    const table = await waiter('BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE');
    const forest = await expectEqual();
    expect(forest.nodes[0]).toMatchObject({
      kind: 'prepared',
      prepared: { gid: 'transfer-1', owner: 'postgres', database: 'postgres' },
    });
    expect(node(forest, pid).blockedBy).toEqual(['prepared transfer-1']);
    expect(node(forest, table).blockedBy).toContain('prepared transfer-1');
  });

  it('in all of it at once, with two heads in the way of one', async () => {
    await holder('UPDATE items SET id = 1', "PREPARE TRANSACTION 'mixed'");
    await holder('SELECT * FROM orders');
    await holder('UPDATE orders SET v = 1 WHERE id = 2', 'SELECT pg_advisory_xact_lock(9)');
    await waiter('UPDATE orders SET v = 2 WHERE id = 2');
    await waiter('BEGIN', 'SELECT pg_advisory_xact_lock(9)');
    const ddl = await waiter('BEGIN', 'LOCK TABLE orders, items IN ACCESS EXCLUSIVE MODE');
    await waiter('SELECT * FROM orders');
    await waiter('TRUNCATE items');
    const forest = await expectEqual();
    expect(node(forest, ddl).blockedBy.length).toBeGreaterThan(1);
  });

  it('with parallel workers, whose leader stands for them', async () => {
    const pid = await holder('LOCK TABLE items IN ACCESS EXCLUSIVE MODE');
    await waiter(
      `SET ${major >= 16 ? 'debug_parallel_query' : 'force_parallel_mode'} = on`,
      'SELECT count(*) FROM items',
    );
    expect(node(await expectEqual(), pid)).toMatchObject({ frees: 1 });
  });

  it('in a database that we are not connected to, without the name of the table', async () => {
    await server.query('CREATE DATABASE elsewhere');
    await server.query('CREATE TABLE far (id int)', [], { database: 'elsewhere' });
    const far = async () => {
      const client = new pg.Client({
        connectionString: server.url('postgres', 'elsewhere'),
        application_name: 'party',
      });
      client.on('error', () => undefined);
      await client.connect();
      open.push(client);
      return client;
    };
    const [first, second] = [await far(), await far()];
    await first.query('BEGIN; LOCK TABLE far IN ACCESS EXCLUSIVE MODE');
    second.query('SELECT * FROM far').catch(() => undefined);
    await eventually(async () => (await seen()).parties.length === 2);
    const waits = node(await expectEqual(), pidOf(second)).party?.waits;
    expect(waits).toMatchObject({ target: 'table', mode: 'AccessShareLock' });
    expect(waits?.table).toBeUndefined();
  });

  it('ages a wait by its beginning where the server knows it', async () => {
    await holder('LOCK TABLE items IN ACCESS EXCLUSIVE MODE');
    const pid = await waiter('BEGIN; SELECT pg_sleep(1.2); SELECT * FROM items');
    const ms = node(lockForestFrom(await seen()), pid).party?.waits?.ms ?? 0;
    if (major >= 14) expect(ms).toBeLessThan(1100);
    else expect(ms).toBeGreaterThan(1100); // at most so long
  });
});

function pidOf(client: pg.Client): number {
  return (client as unknown as { processID: number }).processID;
}
