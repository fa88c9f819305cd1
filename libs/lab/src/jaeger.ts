import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildGoTools } from './go-tools.ts';
import { type Exit, type Leashed, freePort, startLeashed, waitUntilReady } from './leash.ts';
import { onFreePorts } from './on-free-ports.ts';
import { type TemporaryFolder, makeTemporaryFolder } from './temporary-folder.ts';

const READY_WITHIN_MS = 30_000;

export interface JaegerOptions {
  /** How many traces it keeps in memory; the oldest go first. Default 100,000. */
  readonly maxTraces?: number;
}

/** A Jaeger on 127.0.0.1 that keeps its traces in memory. It has no web pages. */
export interface LabJaeger extends AsyncDisposable {
  /** For an OTLP exporter over gRPC. */
  readonly otlpGrpcUrl: string;
  /** For an OTLP exporter over HTTP; `/v1/traces` belongs behind it. */
  readonly otlpHttpUrl: string;
  /** The query API: `/api/v3/services`, `/operations`, `/traces`, `/traces/{id}`. */
  readonly queryUrl: string;
  /** `jaeger.api_v3.QueryService` over gRPC, without TLS. */
  readonly queryGrpcUrl: string;
  readonly pid: number;
  /** Its own last lines. */
  log(lines?: number): string;
  /** It keeps its sockets and answers nothing. */
  pause(): void;
  resume(): void;
  kill(): Promise<Exit>;
  /** Starts it again on the same ports, after `kill` or while it runs; its traces are gone. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

interface Ports {
  readonly otlpGrpc: number;
  readonly otlpHttp: number;
  readonly query: number;
  readonly queryGrpc: number;
  readonly health: number;
}

/** Starts a Jaeger in under a second, once it is compiled; rejects where it is not and cannot be. */
export async function startJaeger(options: JaegerOptions = {}): Promise<LabJaeger> {
  const tools = await buildGoTools('jaeger');
  if (tools.kind === 'missing') throw new Error(`no Jaeger: ${tools.why}`);
  const folder = await makeTemporaryFolder('jaeger');
  try {
    return await onFreePorts(freePorts, async (ports) => {
      const configPath = join(folder.path, 'jaeger.yaml');
      await writeFile(configPath, JSON.stringify(configOf(ports, options)));
      const start = (): Promise<Leashed> => launch(tools.folder, configPath, ports, folder.path);
      return labFrom(await start(), start, ports, folder);
    });
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

async function freePorts(): Promise<Ports> {
  const ports = new Set<number>();
  while (ports.size < 5) ports.add(await freePort());
  const [otlpGrpc = 0, otlpHttp = 0, query = 0, queryGrpc = 0, health = 0] = ports;
  return { otlpGrpc, otlpHttp, query, queryGrpc, health };
}

/** Jaeger's configuration; JSON, which is YAML too. */
function configOf(ports: Ports, { maxTraces = 100_000 }: JaegerOptions): unknown {
  const on = (port: number): { endpoint: string } => ({ endpoint: `127.0.0.1:${port}` });
  return {
    service: {
      extensions: ['jaeger_storage', 'jaeger_query', 'healthcheckv2'],
      pipelines: {
        traces: {
          receivers: ['otlp'],
          processors: ['batch'],
          exporters: ['jaeger_storage_exporter'],
        },
      },
      telemetry: { metrics: { level: 'none' }, logs: { level: 'warn' } },
    },
    extensions: {
      jaeger_query: {
        storage: { traces: 'memory' },
        http: on(ports.query),
        grpc: on(ports.queryGrpc),
      },
      jaeger_storage: { backends: { memory: { memory: { max_traces: maxTraces } } } },
      healthcheckv2: { use_v2: true, http: on(ports.health) },
    },
    receivers: {
      otlp: { protocols: { grpc: on(ports.otlpGrpc), http: on(ports.otlpHttp) } },
    },
    // seen soon rather than cheaply: a test asks for its trace a moment later
    processors: { batch: { timeout: '50ms' } },
    exporters: { jaeger_storage_exporter: { trace_storage: 'memory' } },
  };
}

async function launch(
  programs: string,
  configPath: string,
  ports: Ports,
  folder: string,
): Promise<Leashed> {
  const jaeger = startLeashed({
    name: 'jaeger',
    command: join(programs, 'jaeger'),
    args: ['--config', configPath],
    env: { PATH: '/usr/bin:/bin', HOME: folder },
    orphanFolders: [folder],
  });
  const probe = async (signal: AbortSignal): Promise<boolean> => {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(1000)]);
    return (await fetch(`http://127.0.0.1:${ports.health}/status`, { signal: bounded })).ok;
  };
  await waitUntilReady(jaeger, { kind: 'probe', probe }, READY_WITHIN_MS);
  return jaeger;
}

function labFrom(
  first: Leashed,
  start: () => Promise<Leashed>,
  ports: Ports,
  folder: TemporaryFolder,
): LabJaeger {
  let jaeger = first;
  const url = (port: number): string => `http://127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    await jaeger.kill(); // its memory is all it has, and a polite end takes two seconds
    await folder.remove();
  };
  return {
    otlpGrpcUrl: url(ports.otlpGrpc),
    otlpHttpUrl: url(ports.otlpHttp),
    queryUrl: url(ports.query),
    queryGrpcUrl: url(ports.queryGrpc),
    get pid() {
      return jaeger.pid;
    },
    log: (lines) => jaeger.tail(lines),
    pause: () => {
      jaeger.pause();
    },
    resume: () => {
      jaeger.resume();
    },
    kill: () => jaeger.kill(),
    async restart() {
      await jaeger.kill();
      jaeger = await start();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
