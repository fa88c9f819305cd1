import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureStateFiles } from '@starr/doctor-host';
import { freePort, startLeashed, waitUntilReady, type Leashed } from '@starr/store';
import { makeTemporaryFolder } from '../temporary-folder.ts';
import { runStarr, starrArgs, type StarrResult } from './starr-command.ts';
import { STAGE_PORTS, stageYamlText, type StagePort, type StageYaml } from './stage-yaml.ts';

const READY_WITHIN_MS = 120_000;

/** The folder, the credential and the ports of services that are not started yet. */
export interface Backstage {
  readonly folder: string;
  readonly stateDir: string;
  readonly configPath: string;
  readonly token: string;
  readonly tokenFile: string;
  readonly ports: Readonly<Record<StagePort, number>>;
  /** Writes starr.yaml and runs `starr up` until it says that it is up. */
  up(yaml: Omit<StageYaml, 'stateDir' | 'ports'>): Promise<Services>;
  remove(): Promise<void>;
}

/** The five services behind `starr up`, and the command that talks to them. */
export interface Services {
  readonly up: Leashed;
  /** Runs a command of `starr` against them. */
  starr(...args: readonly string[]): Promise<StarrResult>;
  /** Process ids of the five by name. */
  pids(): Promise<Readonly<Record<string, number>>>;
  stop(): Promise<void>;
}

/** Known before anything runs, so that the shop can be told where to attach. */
export async function prepareBackstage(): Promise<Backstage> {
  const folder = await makeTemporaryFolder('stage');
  const stateDir = join(folder.path, 'state');
  const { token } = await ensureStateFiles(stateDir);
  const ports = Object.fromEntries(
    await Promise.all(STAGE_PORTS.map(async (name) => [name, await freePort()] as const)),
  ) as Record<StagePort, number>;
  const configPath = join(folder.path, 'starr.yaml');
  return {
    folder: folder.path,
    stateDir,
    configPath,
    token,
    tokenFile: join(stateDir, 'token'),
    ports,
    async up(yaml) {
      await writeFile(configPath, stageYamlText({ ...yaml, stateDir, ports }));
      return startServices(configPath);
    },
    remove: () => folder.remove(),
  };
}

/** `starr up` on a configuration that stands already. */
export async function startServices(configPath: string): Promise<Services> {
  const up = startLeashed({
    name: 'starr up',
    command: process.execPath,
    args: starrArgs(['--config', configPath, 'up']),
    stopWithinMs: 15_000,
  });
  await waitUntilReady(
    up,
    { kind: 'line', matches: (line) => line.startsWith('up  ') },
    READY_WITHIN_MS,
  );
  return {
    up,
    starr: (...args) => runStarr(['--config', configPath, ...args]),
    pids: () => Promise.resolve(pidsFrom(up)),
    stop: async () => {
      await up.stop();
    },
  };
}

/** `ready  db-doctor  127.0.0.1:7701  pid 4711`; the last word of each service counts. */
function pidsFrom(up: Leashed): Record<string, number> {
  const pids: Record<string, number> = {};
  for (const line of up.output.lines) {
    const match = /^ready {2}(\S+) .* pid (\d+)$/.exec(line);
    if (match?.[1] !== undefined) pids[match[1]] = Number(match[2]);
  }
  return pids;
}
