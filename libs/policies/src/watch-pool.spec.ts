import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { createFakeClock } from './test/fake-clock.ts';
import { WatchedPool } from './watch-pool.ts';

const authenticationOk = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0]);
const readyForQuery = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);
const commandComplete = Buffer.concat([
  Buffer.from([0x43, 0, 0, 0, 13]),
  Buffer.from('SELECT 0\0', 'latin1'),
]);
const simpleQuery = 0x51;

/** Speaks as much of PostgreSQL's protocol as a real pg.Pool needs to connect and to run an empty query. */
async function startServer(): Promise<{ port: number; server: Server }> {
  const server = createServer((socket) => {
    let started = false;
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      if (!started) {
        started = true;
        socket.write(Buffer.concat([authenticationOk, readyForQuery]));
      } else if (data[0] === simpleQuery) {
        socket.write(Buffer.concat([commandComplete, readyForQuery]));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, server };
}

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function setUp(options: pg.PoolConfig = {}) {
  const { port, server } = await startServer();
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  const clock = createFakeClock();
  const pool = new pg.Pool({
    host: '127.0.0.1',
    port,
    user: 'app',
    database: 'orders',
    max: 2,
    ...options,
  });
  closing.push(() => pool.end());
  return { clock, pool, port, watched: new WatchedPool('orders', pool, { clock }) };
}

describe('a watched pg.Pool', () => {
  it('shows size, idle, waiting, max, the server, and who waits and holds longest', async () => {
    const { pool, watched, clock, port } = await setUp();
    const first = await pool.connect();
    clock.advance(1000);
    const second = await pool.connect();
    const third = pool.connect();
    clock.advance(500);
    expect(watched.snapshot()).toEqual({
      kind: 'pool',
      name: 'orders',
      connectsTo: { host: '127.0.0.1', port, database: 'orders' },
      size: 2,
      idle: 0,
      waiting: 1,
      max: 2,
      oldestWaitMs: 500,
      oldestHeldMs: 1500,
      lastMinute: { acquired: 2, failed: 0, meanWaitMs: 0, longestWaitMs: 0 },
      min: 0,
      overLimit: 0,
      utilisation: 1,
    });
    first.release();
    (await third).release();
    second.release();
    expect(watched.snapshot()).toMatchObject({
      idle: 2,
      waiting: 0,
      oldestWaitMs: 0,
      oldestHeldMs: 0,
      lastMinute: { acquired: 3, longestWaitMs: 500 },
    });
  });

  it('times connect with a callback and the connect inside query too', async () => {
    const { pool, watched } = await setUp();
    await new Promise<void>((resolve, reject) => {
      pool.connect((error, _client, release) => {
        release();
        if (error) reject(error);
        else resolve();
      });
    });
    await pool.query('select');
    expect(watched.snapshot().lastMinute).toMatchObject({ acquired: 2, failed: 0 });
  });

  it('counts a caller that got no connection in time as failed, not as acquired', async () => {
    const { pool, watched } = await setUp({ max: 1, connectionTimeoutMillis: 50 });
    const held = await pool.connect();
    await expect(pool.connect()).rejects.toThrow('timeout');
    await expect(pool.query('select')).rejects.toThrow('timeout');
    expect(watched.snapshot()).toMatchObject({
      waiting: 0,
      oldestWaitMs: 0,
      lastMinute: { acquired: 1, failed: 2 },
    });
    held.release();
  });

  it('forgets a connection that was thrown away', async () => {
    const { pool, watched } = await setUp();
    const client = await pool.connect();
    client.release(true);
    expect(watched.snapshot()).toMatchObject({ size: 0, oldestHeldMs: 0 });
  });

  it('lets the waits of more than a minute ago go', async () => {
    const { pool, watched, clock } = await setUp();
    (await pool.connect()).release();
    clock.advance(49_999);
    expect(watched.snapshot().lastMinute.acquired).toBe(1);
    clock.advance(10_001);
    expect(watched.snapshot().lastMinute).toEqual({
      acquired: 0,
      failed: 0,
      meanWaitMs: 0,
      longestWaitMs: 0,
    });
  });

  it.each<[pg.PoolConfig, unknown]>([
    [
      { connectionString: 'postgres://app:hunter2@db.local/orders' },
      { host: 'db.local', port: 5432, database: 'orders' },
    ],
    [{ connectionString: 'postgres://app@db.local:6543' }, { host: 'db.local', port: 6543 }],
    [{ connectionString: 'not a url' }, undefined],
    [{ host: '/var/run/postgresql' }, undefined],
    [{}, undefined],
    [{ host: 'db.local' }, { host: 'db.local', port: 5432 }],
  ])('reads its server from %j, and no password with it', async (config, server) => {
    const pool = new pg.Pool(config);
    closing.push(() => pool.end());
    const snapshot = new WatchedPool('orders', pool).snapshot();
    expect(snapshot.connectsTo).toEqual(server);
    expect(snapshot.max).toBe(10);
    expect(JSON.stringify(snapshot)).not.toContain('hunter2');
    await Promise.resolve();
  });
});
