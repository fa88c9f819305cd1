import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../../../apps/cli/src/main.ts', import.meta.url));
const TIMEOUT_MS = 300_000;

/** The `starr` command from source: an application is started by its path, not imported. */
export function starrArgs(args: readonly string[]): readonly string[] {
  return ['--conditions=@starr/source', '--disable-warning=ExperimentalWarning', MAIN, ...args];
}

export interface StarrResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command of `starr` to its end, in a pipe. Never rejects because of its exit code. */
export function runStarr(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<StarrResult> {
  return new Promise((resolve) => {
    const options = {
      env: { ...process.env, ...env },
      timeout: TIMEOUT_MS,
      maxBuffer: 64 * 1024 * 1024,
    };
    execFile(process.execPath, starrArgs(args), options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, stdout, stderr });
    });
  });
}
