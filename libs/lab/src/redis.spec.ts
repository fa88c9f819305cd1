import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Redis } from 'ioredis';
import { busyRedis, loadingRedis } from './faults/redis-faults.ts';
import { installRedis } from './install-redis.ts';
import { type LabRedis, type RedisOptions, startRedis } from './redis.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

const LAB = new URL('./index.ts', import.meta.url).href;
const binary = await installRedis();
const onRedis = binary.kind === 'present' ? describe : describe.skip;

onRedis('Redis of the lab', () => {
  let server: LabRedis;
  const start = async (options?: RedisOptions) => (server = await startRedis(options));
  beforeAll(() => {
    expect(binary.kind).toBe('present');
  });
  afterEach(() => (server as LabRedis | undefined)?.stop());

  it('takes settings, a password and ACL users', async () => {
    await start({
      settings: { maxmemory: '20mb' },
      password: 'p@ss word',
      aclUsers: ['starr on >secret ~* -@all +ping'],
    });
    expect(await server.command('CONFIG', 'GET', 'maxmemory')).toEqual(['maxmemory', '20971520']);
    const starr = new Redis(server.port, {
      username: 'starr',
      password: 'secret',
      enableReadyCheck: false,
    });
    expect(await starr.ping()).toBe('PONG');
    await expect(starr.get('any')).rejects.toThrow('NOPERM');
    starr.disconnect();
    const nobody = new Redis(server.port, { maxRetriesPerRequest: 0, retryStrategy: () => null });
    nobody.on('error', () => undefined);
    await expect(nobody.get('any')).rejects.toThrow('NOAUTH');
    nobody.disconnect();
  });

  it('answers nothing while it is paused', async () => {
    await start();
    server.pause();
    const answer = server.command('PING');
    const first = await Promise.race([
      answer,
      new Promise((resolve) => setTimeout(resolve, 300, 'silent')),
    ]);
    server.resume();
    expect(first).toBe('silent');
    expect(await answer).toBe('PONG');
  });

  it('refuses connections after a kill and comes back on the same port', async () => {
    await start();
    await server.kill();
    await expect(server.command('PING')).rejects.toThrow(/closed|ECONNREFUSED/);
    await server.restart();
    expect(await server.command('PING')).toBe('PONG');
  });

  it('is busy with a real script until the fault ends', async () => {
    await start();
    const fault = await busyRedis(server);
    await expect(server.command('GET', 'any')).rejects.toThrow(/^BUSY /);
    await fault.end();
    expect(await server.command('GET', 'any')).toBeNull();
  });

  it('is loading real data until the fault ends', async () => {
    await start();
    const fault = await loadingRedis(server, { keys: 50_000, lastsMs: 20_000 });
    await expect(server.command('GET', 'any')).rejects.toThrow(/^LOADING /);
    await fault.end();
    expect(await server.command('DBSIZE')).toBe(50_000);
  }, 30_000);

  it('ends when its owner is killed', async () => {
    await start();
    const script = `
      import { startRedis } from '${LAB}';
      console.log((await startRedis()).pid);`;
    const owner = spawn(
      process.execPath,
      ['--conditions=@starr/source', '--input-type=module', '--eval', script],
      { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_OPTIONS: '' } },
    );
    const [chunk] = (await once(owner.stdout, 'data')) as [Buffer];
    const stat = `/proc/${Number(String(chunk).trim())}/stat`;
    expect(await readFile(stat, 'utf8')).toContain('(redis');
    owner.kill('SIGKILL');
    for (let tries = 0; tries < 1000; tries += 1) {
      const state = await readFile(stat, 'utf8').catch(() => ') Z ');
      if (state.includes(') Z ')) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error('redis is still there');
  });
});
