import { rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { startLeashed } from './leash.ts';

export interface Compilation {
  /** The folder of go.mod and go.sum. */
  readonly moduleFolder: string;
  /** Package path to program name. */
  readonly programs: Readonly<Record<string, string>>;
  readonly linkerFlags: string;
  /** Exists, and is empty. */
  readonly outputFolder: string;
}

export type OnCompiled = (step: 'downloading' | 'compiling', done: number, total: number) => void;

const LOWEST_PRIORITY = '19';

/**
 * Compiles Go programs: stripped, without paths of this machine in them, without cgo (no C compiler is
 * needed), exactly the sources that go.sum names. It ends with its owner, and gives way to all else
 * that runs.
 */
export async function compileGo(
  compilation: Compilation,
  onCompiled: OnCompiled,
  signal: AbortSignal,
): Promise<void> {
  const packages = Object.keys(compilation.programs);
  let downloaded = 0;
  const onDownload = (line: string): void => {
    if (!line.startsWith('go: downloading ')) return;
    downloaded += 1;
    onCompiled('downloading', downloaded, 0);
  };
  const all = new Set<string>();
  await go(
    compilation,
    ['list', '-deps', '-f', '{{.ImportPath}}', ...packages],
    (line, stream) => {
      if (stream === 'stdout') all.add(line);
      else onDownload(line);
    },
    signal,
  );
  let compiled = 0;
  await go(
    compilation,
    [
      ...['build', '-v', '-trimpath', '-ldflags', compilation.linkerFlags],
      ...['-o', `${compilation.outputFolder}/`, ...packages],
    ],
    (line) => {
      if (!all.has(line)) return;
      compiled += 1;
      onCompiled('compiling', compiled, all.size);
    },
    signal,
  );
  await giveNames(compilation);
}

/** Go names a program after its folder, or the one above when that is a version. */
async function giveNames({ programs, outputFolder }: Compilation): Promise<void> {
  for (const [path, name] of Object.entries(programs)) {
    const built = basename(path.replace(/\/v\d+$/, ''));
    if (built !== name) await rename(join(outputFolder, built), join(outputFolder, name));
  }
}

async function go(
  { moduleFolder }: Compilation,
  args: readonly string[],
  onLine: (line: string, stream: 'stdout' | 'stderr') => void,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const leashed = startLeashed({
    name: `go ${args[0] ?? ''}`,
    command: 'nice',
    args: ['-n', LOWEST_PRIORITY, 'go', ...args],
    cwd: moduleFolder,
    // a workspace or flags of the person's own must not change what is built
    env: {
      ...process.env,
      CGO_ENABLED: '0',
      GOWORK: 'off',
      GOFLAGS: '-mod=readonly -buildvcs=false',
    },
    onLine,
  });
  const end = (): void => {
    void leashed.kill();
  };
  signal.addEventListener('abort', end);
  const exit = await leashed.exited;
  signal.removeEventListener('abort', end);
  signal.throwIfAborted();
  if (exit.code === 0) return;
  throw new Error(`${leashed.name} in ${moduleFolder} failed; its last lines:\n${leashed.tail()}`);
}
