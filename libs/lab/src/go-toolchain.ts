import { execFile } from 'node:child_process';

/** The oldest Go that compiles the pinned sources; the `go` line of their go.mod files says the same. */
const OLDEST = [1, 26] as const;

export type GoToolchain =
  | { readonly kind: 'present'; readonly version: string }
  | { readonly kind: 'missing'; readonly why: string };

/**
 * Looks for a Go that is new enough. An older one that may fetch a newer one by itself (`GOTOOLCHAIN=auto`,
 * its default) counts when it can: it is asked inside a folder whose go.mod demands it.
 */
export async function findGoToolchain(
  moduleFolder: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<GoToolchain> {
  const wanted = `Go ${OLDEST.join('.')} or newer`;
  const answer = await goVersion(moduleFolder, env);
  if (answer.kind === 'failed') {
    return {
      kind: 'missing',
      why: answer.absent
        ? `no Go toolchain: ${wanted} is needed to compile it (https://go.dev/dl), and there is no "go" on PATH`
        : `${wanted} is needed to compile it, and the one on PATH says: ${answer.says}`,
    };
  }
  const match = /go(\d+)\.(\d+)/.exec(answer.says);
  const [major, minor] = [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)];
  const current = major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
  return current
    ? { kind: 'present', version: answer.says }
    : { kind: 'missing', why: `${wanted} is needed to compile it; on PATH is ${answer.says}` };
}

type Answer =
  | { readonly kind: 'says'; readonly says: string }
  | { readonly kind: 'failed'; readonly absent: boolean; readonly says: string };

function goVersion(cwd: string, env: NodeJS.ProcessEnv): Promise<Answer> {
  return new Promise((resolve) => {
    execFile(
      'go',
      ['env', 'GOVERSION'],
      { cwd, env, timeout: 120_000 },
      (error, stdout, stderr) => {
        if (error === null) resolve({ kind: 'says', says: stdout.trim() });
        else resolve({ kind: 'failed', absent: error.code === 'ENOENT', says: stderr.trim() });
      },
    );
  });
}
