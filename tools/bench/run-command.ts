import { spawn } from 'node:child_process';

const DEFAULT_TIMEOUT_MS = 60_000;

export interface CommandLine {
  readonly program: string;
  readonly args: readonly string[];
  /** Beside the environment of the benchmark. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default a minute. */
  readonly timeoutMs?: number;
}

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** From before the process is started until all its output is read. */
  readonly tookMs: number;
}

/** Runs a process to its end and reads all that it prints. Rejects when it cannot be started or does not end. */
export function runCommand({ program, args, env, timeoutMs }: CommandLine): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const startedAtMs = performance.now();
    const child = spawn(program, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs ?? DEFAULT_TIMEOUT_MS,
    });
    const printed = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    child.stdout.on('data', (chunk: Buffer) => printed.stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => printed.stderr.push(chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const tookMs = performance.now() - startedAtMs;
      if (code === null) {
        reject(new Error(`${program} ${args.join(' ')} was ended by ${signal ?? 'nobody'}`));
        return;
      }
      const stdout = Buffer.concat(printed.stdout).toString();
      resolve({ code, stdout, stderr: Buffer.concat(printed.stderr).toString(), tookMs });
    });
  });
}
