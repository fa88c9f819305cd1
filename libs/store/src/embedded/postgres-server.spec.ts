import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { freePort } from './free-port.ts';
import {
  type PostgresBinaries,
  bundledPostgres,
  placePostgres,
  postgresInPackage,
} from './postgres-binaries.ts';
import { initPostgresFolder, postgresUser } from './postgres-data-folder.ts';
import { startPostgresServer } from './postgres-server.ts';

const bundled = await bundledPostgres();
const onBundled = bundled === undefined ? describe.skip : describe;

onBundled('the embedded PostgreSQL', () => {
  let folder: string;
  let binaries: PostgresBinaries;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'starr-embedded-'));
    await chmod(folder, 0o755);
    binaries = await placePostgres(bundled!, join(folder, 'bin'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('asks for the password it was made with, keeps its data, and stops in time', async () => {
    const dataFolder = join(folder, 'data');
    await initPostgresFolder(binaries, dataFolder, { password: "it's secret" });
    const start = async () => {
      const port = await freePort();
      return [await startPostgresServer({ binaries, dataFolder, port }), port] as const;
    };
    const ask = async (port: number, password: string, sql: string) => {
      const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', password });
      await client.connect();
      try {
        return (await client.query<Record<string, unknown>>(sql)).rows;
      } finally {
        await client.end();
      }
    };
    const [first, firstPort] = await start();
    await expect(ask(firstPort, 'wrong', 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    await ask(firstPort, "it's secret", 'CREATE TABLE kept AS SELECT 7 AS n');
    expect(await first.stop()).toEqual({ code: 0, signal: null });
    await initPostgresFolder(binaries, dataFolder, { password: 'another' }); // there is one already
    const [second, secondPort] = await start();
    expect(await ask(secondPort, "it's secret", 'SELECT n FROM kept')).toEqual([{ n: 7 }]);
    await second.stop();
    expect((await readdir(folder)).sort()).toEqual(['bin', 'data']); // no draft, no password file
  }, 60_000);

  it('lives in folders that nobody else can read, as a user that is not root', async () => {
    const dataFolder = join(folder, 'data');
    await initPostgresFolder(binaries, dataFolder);
    const { mode, uid } = await stat(dataFolder);
    expect(mode & 0o777).toBe(0o700);
    expect(uid).toBe(postgresUser()?.uid ?? process.getuid!());
    const server = await startPostgresServer({ binaries, dataFolder, port: await freePort() });
    const status = await readFile(`/proc/${server.pid}/status`, 'utf8');
    expect(/^Uid:\t(\d+)/m.exec(status)?.[1]).not.toBe('0');
    await server.stop();
  }, 60_000);

  it('appears once when two processes make it at the same time', async () => {
    const dataFolder = join(folder, 'data');
    await Promise.all([1, 2].map(() => initPostgresFolder(binaries, dataFolder)));
    expect((await readdir(folder)).sort()).toEqual(['bin', 'data']);
    expect(await readFile(join(dataFolder, 'PG_VERSION'), 'utf8')).toBe('18\n');
  }, 60_000);

  it('says with its own words why it does not start', async () => {
    const dataFolder = join(folder, 'data');
    await initPostgresFolder(binaries, dataFolder);
    const port = await freePort();
    const first = await startPostgresServer({ binaries, dataFolder, port });
    await expect(startPostgresServer({ binaries, dataFolder, port })).rejects.toThrow(
      /postgres 18\.\d+\.\d+ ended at once .*lock file "postmaster.pid" already exists/s,
    );
    await first.stop();
  }, 60_000);

  it('is not found in a folder that is no such package', async () => {
    await writeFile(join(folder, 'package.json'), '{}');
    await expect(postgresInPackage(folder)).rejects.toThrow('has no version');
  });
});
