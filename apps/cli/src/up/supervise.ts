import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DoctorError } from '@starr/kernel';
import type { ServiceProgram } from './service-program.ts';

export interface SuperviseOptions {
  readonly programs: readonly ServiceProgram[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** One log file a service. */
  readonly logDir: string;
  /** Default 60 000: a loaded machine is slow, and a service that is killed for it is slower still. */
  readonly readyWithinMs?: number;
  onReady(service: string, port: number, pid: number): void;
  onEnd(service: string, says: string): void;
}

export interface Supervised {
  readonly pids: Readonly<Record<string, number | undefined>>;
  stop(): Promise<void>;
}

const RESTART_MS = { first: 250, most: 10_000 };
const STOP_WITHIN_MS = 5000;
const READY_WITHIN_MS = 60_000;
const TAIL_LINES = 12;

/**
 * Starts the services and starts again what ends by itself, with growing pauses. Each child holds the other end of a
 * pipe of ours: when we end, even by kill -9, so do they.
 */
export async function supervise(options: SuperviseOptions): Promise<Supervised> {
  await mkdir(options.logDir, { recursive: true, mode: 0o700 });
  const services = options.programs.map((program) => new Service(program, options));
  const stop = async () => {
    await Promise.all(services.map((service) => service.stop()));
  };
  try {
    await Promise.all(services.map((service) => service.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    get pids() {
      return Object.fromEntries(services.map((service) => [service.name, service.pid]));
    },
    stop,
  };
}

class Service {
  readonly name: string;
  readonly #program: ServiceProgram;
  readonly #options: SuperviseOptions;
  readonly #log: WriteStream;
  #child: ChildProcess | undefined;
  #tail: string[] = [];
  #restartMs = RESTART_MS.first;
  #stopping = false;

  constructor(program: ServiceProgram, options: SuperviseOptions) {
    this.name = program.name;
    this.#program = program;
    this.#options = options;
    this.#log = createWriteStream(join(options.logDir, `${program.name}.log`), {
      flags: 'a',
      mode: 0o600,
    });
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when the service says that it answers; fails with its last lines. */
  start(): Promise<void> {
    const { command, args } = this.#program;
    const env = { ...this.#options.env, OTEL_SERVICE_NAME: this.name, STARR_ENDS_WITH_STDIN: '1' };
    const child = spawn(command, [...args], { env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    child.stdin.on('error', () => undefined); // a child that has ended cannot read
    createInterface(child.stderr).on('line', (line) => {
      this.#keep(line);
    });
    const { readyWithinMs = READY_WITHIN_MS } = this.#options;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        child.kill('SIGKILL');
        reject(this.#failure(`did not answer within ${readyWithinMs} ms`));
      }, readyWithinMs);
      createInterface(child.stdout).on('line', (line) => {
        const port = readyPort(line);
        if (port === undefined) return;
        clearTimeout(late);
        this.#options.onReady(this.name, port, child.pid ?? 0);
        resolve();
      });
      child.once('error', (error) => {
        clearTimeout(late);
        reject(this.#failure(error.message));
      });
      child.once('exit', (code, signal) => {
        clearTimeout(late);
        reject(this.#failure(`ended (${signal ?? code})`));
        this.#ended(signal ?? String(code));
      });
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child?.exitCode === null && child.signalCode === null) {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.stdin?.end();
      const kill = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
      await exited;
      clearTimeout(kill);
    }
    this.#log.end();
  }

  #keep(line: string): void {
    this.#tail = [...this.#tail, line].slice(-TAIL_LINES);
    this.#log.write(`${line}\n`);
  }

  #failure(why: string): DoctorError {
    return new DoctorError('WIRE_UNREACHABLE', {
      message: [`${this.name} ${why}`, ...this.#tail].join('\n  '),
    });
  }

  #ended(how: string): void {
    if (this.#stopping) return;
    const pauseMs = this.#restartMs;
    this.#restartMs = Math.min(RESTART_MS.most, pauseMs * 2);
    this.#options.onEnd(this.name, `ended (${how}), starts again in ${pauseMs} ms`);
    setTimeout(() => {
      if (this.#stopping) return;
      this.start().then(
        () => (this.#restartMs = RESTART_MS.first),
        () => undefined, // its exit has planned the next start already
      );
    }, pauseMs).unref();
  }
}

function readyPort(line: string): number | undefined {
  try {
    const message = JSON.parse(line) as unknown;
    if (
      typeof message !== 'object' ||
      message === null ||
      !('ready' in message) ||
      !('port' in message)
    )
      return undefined;
    return typeof message.port === 'number' ? message.port : undefined;
  } catch {
    return undefined; // not the line that we wait for
  }
}
