import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startPostgres, waitUntil, type LabPostgres } from '@starr/lab';
import { WatchedPool, type PoolSettings } from '@starr/policies';
import pg from 'pg';

let server: LabPostgres;
beforeAll(async () => {
  server = await startPostgres();
  await server.query('CREATE ROLE app LOGIN');
});
afterAll(() => server.stop());

let close: (() => Promise<void>) | undefined;
afterEach(() => close?.());

function setUp(options: pg.PoolConfig = {}) {
  const pool = new pg.Pool({
    host: server.host,
    port: server.port,
    user: 'app',
    database: 'postgres',
    idleTimeoutMillis: 0,
    ...options,
  });
  pool.on('error', () => undefined);
  close = () => pool.end();
  const watched = new WatchedPool('orders', pool);
  const sleep = async (seconds: number) => {
    await pool.query('SELECT pg_sleep($1)', [seconds]);
  };
  /** As the server sees it. */
  const connections = async () => {
    const rows = await server.query(
      "SELECT count(*)::int AS connections FROM pg_stat_activity WHERE usename = 'app'",
    );
    return (rows[0] as { connections: number }).connections;
  };
  const until = (what: string, is: () => boolean | Promise<boolean>) =>
    waitUntil(async () => ((await is()) ? true : undefined), { what, withinMs: 20_000 });
  return { pool, watched, sleep, connections, until };
}

describe('the size of a living pg.Pool', () => {
  it('grows for the callers that wait, while the others still run', async () => {
    const { pool, watched, sleep, connections } = setUp({ max: 1 });
    const held = await pool.connect();
    const waiting = Array.from({ length: 4 }, () => sleep(0.01));
    expect(watched.snapshot()).toMatchObject({ size: 1, waiting: 4, max: 1, utilisation: 1 });
    expect(watched.retune({ max: 5 })).toEqual({
      kind: 'applied',
      before: { min: 0, max: 1 },
      after: { min: 0, max: 5 },
    });
    await Promise.all(waiting);
    // the first one is still out
    expect(watched.snapshot()).toMatchObject({
      size: 5,
      idle: 4,
      waiting: 0,
      max: 5,
      overLimit: 0,
    });
    await expect(connections()).resolves.toBe(5);
    held.release();
  });

  it('shrinks under load without an error: each connection too many is closed when it comes back', async () => {
    const { watched, sleep, connections, until } = setUp({ max: 8 });
    let running = true;
    let queries = 0;
    const clients = Array.from({ length: 16 }, async () => {
      while (running) {
        await sleep(0.01);
        queries++;
      }
    });
    await until('all connections are open', () => watched.snapshot().size === 8);
    watched.retune({ max: 2 });
    expect(watched.snapshot()).toMatchObject({ max: 2, overLimit: 6, size: 8 });
    await until('the pool is small', () => watched.snapshot().size === 2);
    const before = queries;
    await until('callers still get answers', () => queries > before + 20);
    expect(watched.snapshot()).toMatchObject({ size: 2, overLimit: 0 });
    await until('the server has let go', async () => (await connections()) === 2);
    running = false;
    await Promise.all(clients);
  });

  it('closes idle connections beyond a smaller max at once', async () => {
    const { watched, sleep, connections, until } = setUp({ max: 6 });
    await Promise.all(Array.from({ length: 6 }, () => sleep(0.01)));
    expect(watched.snapshot()).toMatchObject({ size: 6, idle: 6 });
    watched.retune({ max: 2 });
    await until('the server has let go', async () => (await connections()) === 2);
    expect(watched.snapshot()).toMatchObject({ size: 2, idle: 2, overLimit: 0 });
  });

  it('opens connections up to min before anybody asks for one, idle ones counted', async () => {
    const { watched, sleep, connections, until } = setUp({ max: 10, idleTimeoutMillis: 100 });
    await sleep(0.01);
    watched.retune({ min: 4 });
    await until('the server sees four', async () => (await connections()) === 4);
    await sleep(0.3);
    // the pool closes what is idle for 100 ms, down to min
    expect(watched.snapshot()).toMatchObject({ size: 4, min: 4 });
    watched.retune({ min: 0 });
    await Promise.all(Array.from({ length: 4 }, () => sleep(0.01)));
    await until('the pool is empty', () => watched.snapshot().size === 0);
  });

  it('lets callers of all three forms through a shrink, and an error still closes its connection', async () => {
    const { pool, watched, until } = setUp({ max: 3 });
    const client = await pool.connect();
    const byCallback = await new Promise<(destroy?: boolean) => void>((resolve, reject) => {
      pool.connect((error, _client, release) => {
        if (error) reject(error);
        else resolve(release);
      });
    });
    const broken = await pool.connect();
    watched.retune({ max: 2 });
    broken.release(true);
    await until('one is gone', () => watched.snapshot().size === 2);
    watched.retune({ max: 1 });
    byCallback();
    await until('two are gone', () => watched.snapshot().size === 1);
    client.release();
    expect(watched.snapshot()).toMatchObject({ size: 1, idle: 1, overLimit: 0 });
    await expect(pool.query('SELECT 1')).resolves.toMatchObject({ rowCount: 1 });
  });

  it('counts the connections that it opens itself for no caller', async () => {
    const { watched, until } = setUp({ max: 3 });
    watched.retune({ min: 3 });
    await until('three are open', () => watched.snapshot().idle === 3);
    expect(watched.snapshot().lastMinute).toMatchObject({ acquired: 0, failed: 0 });
  });

  it('survives a server that is away: who waits hears of it, and nobody else', async () => {
    const { pool, watched } = setUp({ max: 1, port: 1, connectionTimeoutMillis: 500 });
    watched.retune({ min: 1 });
    await expect(pool.query('SELECT 1')).rejects.toThrow();
    expect(watched.snapshot()).toMatchObject({ size: 0, waiting: 0 });
  });

  it.each<[string, Partial<PoolSettings>]>([
    ['max', { max: 0 }],
    ['min', { min: -1 }],
    ['min', { min: 11 }],
  ])('refuses a wrong %s and changes nothing', (option, change) => {
    const { watched } = setUp({ max: 10 });
    const before = watched.settings;
    expect(watched.retune(change)).toMatchObject({
      kind: 'refused',
      says: expect.stringContaining(option),
      now: before,
    });
    expect(watched.settings).toEqual(before);
  });

  it('may be fixed: min as high as max', async () => {
    const { watched, until } = setUp({ max: 10 });
    expect(watched.retune({ min: 3, max: 3 })).toMatchObject({ kind: 'applied' });
    await until('all are open', () => watched.snapshot().idle === 3);
  });
});
