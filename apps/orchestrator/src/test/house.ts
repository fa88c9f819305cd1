import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { credentials } from '@grpc/grpc-js';
import { ensureStateFiles, serveDoctor, type Serving, type StateFiles } from '@starr/doctor-host';
import { freePort, startLeashed, waitUntilReady, type Leashed } from '@starr/store';
import {
  bearerTokenInterceptor,
  createOrchestratorClient,
  type OrchestratorClient,
} from '@starr/wire';
import { makeTemporaryFolder, type TemporaryFolder } from '@starr/lab';
import { compose, type RunningOrchestrator } from '../compose.ts';
import type { DoctorPlace, OrchestratorConfig } from '../config.ts';
import { createPondAdapter, pondCatalog } from './pond-catalog.ts';

const READY_WITHIN_MS = 20_000;
const PLAYBOOK = `
id: pond-too-full
title: '{high.about.name} is too full'
match:
  high: { finding: pond.level }
explains: []
relieve:
  - { remedy: pond.drain, on: high, with: { by: 20 } }
`;

/** A folder with keys and a playbook, doctors of ponds and an orchestrator over them, ended together. */
export class House {
  readonly folder: TemporaryFolder;
  readonly state: StateFiles;
  readonly #closers: (() => unknown)[] = [];

  static async build(): Promise<House> {
    const folder = await makeTemporaryFolder('house');
    const state = await ensureStateFiles(join(folder.path, 'state'));
    await mkdir(join(folder.path, 'playbooks'));
    await writeFile(join(folder.path, 'playbooks', 'pond.yaml'), PLAYBOOK);
    return new House(folder, state);
  }

  private constructor(folder: TemporaryFolder, state: StateFiles) {
    this.folder = folder;
    this.state = state;
  }

  /** A doctor in this process, over real gRPC. */
  async doctor(
    name: string,
    ponds: Readonly<Record<string, string>>,
  ): Promise<DoctorPlace & { serving: Serving }> {
    const serving = await serveDoctor({
      name,
      catalog: pondCatalog,
      targets: Object.entries(ponds).map(([target, url]) => ({
        name: target,
        kind: 'pond',
        adapter: createPondAdapter(url),
        acts: true,
      })),
      port: 0,
      credentials: [{ token: this.state.token, role: 'admin' }],
      grantPublicKeyPem: this.state.grantPublicKeyPem,
      sampler: 'off',
    });
    this.#closers.push(() => serving.stop(0));
    return { name, address: `127.0.0.1:${serving.port}`, prefixes: ['pond.'], serving };
  }

  /** A doctor as a process of its own, to be killed; give its port to start it again. */
  async doctorProcess(
    name: string,
    ponds: Readonly<Record<string, string>>,
    port?: number,
  ): Promise<DoctorPlace & { process: Leashed; port: number }> {
    const chosen = port ?? (await freePort());
    const options = {
      name,
      port: chosen,
      stateDir: join(this.folder.path, name),
      token: this.state.token,
      grantPublicKeyPem: this.state.grantPublicKeyPem,
      ponds,
    };
    const process = await this.#start(name, './pond-doctor.ts', [JSON.stringify(options)], {});
    return { name, address: `127.0.0.1:${chosen}`, prefixes: ['pond.'], process, port: chosen };
  }

  /** The orchestrator in this process. */
  async orchestrator(
    doctors: readonly DoctorPlace[],
    more: Partial<OrchestratorConfig> = {},
  ): Promise<{ running: RunningOrchestrator; client: OrchestratorClient }> {
    const running = await compose({
      environment: 'garden',
      host: '127.0.0.1',
      port: 0,
      httpPort: 0,
      stateDir: join(this.folder.path, 'state'),
      state: this.state,
      doctors,
      postgresPlaces: [],
      playbooks: join(this.folder.path, 'playbooks'),
      notify: [],
      maxErrorRatio: 0.05,
      ...more,
    });
    this.#closers.push(() => running.stop());
    return { running, client: this.client(running.port) };
  }

  /** The orchestrator as a process of its own, to be killed; give its port to start it again. */
  async orchestratorProcess(
    doctors: readonly DoctorPlace[],
    storeUrl: string,
    port?: number,
  ): Promise<{ process: Leashed; client: OrchestratorClient; port: number }> {
    const chosen = port ?? (await freePort());
    const path = join(this.folder.path, `starr-${chosen}.yaml`);
    const config = {
      environment: 'garden',
      stateDir: join(this.folder.path, 'state'),
      listen: { orchestrator: chosen, http: 0 },
      playbooks: join(this.folder.path, 'playbooks'),
      doctors: doctors.map(({ name, address, prefixes }) => ({ name, address, prefixes })),
    };
    await writeFile(path, JSON.stringify(config)); // JSON is YAML
    const env = { STARR_CONFIG: path, STARR_STORE_URL: storeUrl };
    const process = await this.#start('orchestrator', '../main.ts', [], env);
    return { process, client: this.client(chosen), port: chosen };
  }

  client(port: number, token = this.state.token, actor = 'ada'): OrchestratorClient {
    const client = createOrchestratorClient({
      address: `127.0.0.1:${port}`,
      credentials: credentials.createInsecure(),
      interceptors: [bearerTokenInterceptor(token, actor)],
    });
    this.#closers.push(() => {
      client.close();
    });
    return client;
  }

  async end(): Promise<void> {
    for (const close of this.#closers.toReversed()) await close();
    await this.folder.remove();
  }

  async #start(
    name: string,
    file: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<Leashed> {
    const leashed = startLeashed({
      name,
      command: process.execPath,
      args: [
        '--conditions=@starr/source',
        '--disable-warning=ExperimentalWarning',
        fileURLToPath(new URL(file, import.meta.url)),
        ...args,
      ],
      env: { ...process.env, ...env },
    });
    this.#closers.push(() => leashed.kill());
    const matches = (line: string) => line.includes('"ready"');
    await waitUntilReady(leashed, { kind: 'line', matches }, READY_WITHIN_MS);
    return leashed;
  }
}
