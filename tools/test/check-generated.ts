import { report } from './report.ts';
import { runCommand } from './run-command.ts';
import type { Tally } from './tally.ts';

/** Generates everything again; what changes by it was not current. */
export async function checkGenerated(): Promise<Tally> {
  const startedAtMs = performance.now();
  const before = await fingerprint();
  const { code, output } = await runCommand(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      '--conditions=@starr/source',
      'tools/generate/main.ts',
    ],
    { show: false },
  );
  const after = await fingerprint();
  const stale =
    before === after
      ? ''
      : `not current, now written anew (commit them):\n${difference(before, after)}`;
  return report(
    'generated files are current',
    code === 0 && stale === '',
    startedAtMs,
    `${output}${stale}`,
  );
}

/** Content ids of everything tracked or new: a file that is regenerated to the same content keeps its id. */
async function fingerprint(): Promise<string> {
  const { output } = await runCommand(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    { show: false },
  );
  const paths = [...new Set(output.split('\0'))].filter((path) =>
    /(\/gen\/|\.gen\.|\.binpb$|^docs\/)/.test(path),
  );
  const hashed = await runCommand('git', ['hash-object', '--', ...paths], { show: false });
  const ids = hashed.output.split('\n');
  return paths
    .map((path, index) => `${path} ${ids[index] ?? ''}`)
    .toSorted()
    .join('\n');
}

function difference(before: string, after: string): string {
  const known = new Set(before.split('\n'));
  return after
    .split('\n')
    .filter((line) => !known.has(line))
    .map((line) => line.split(' ')[0])
    .join('\n');
}
