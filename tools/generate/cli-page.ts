import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { writePage } from './write-page.ts';

const MAIN = 'apps/cli/src/main.ts';

/** The help of the command and of each of its commands, as it prints it. */
export async function writeCliPage(): Promise<void> {
  const top = await help([]);
  const names = [...top.matchAll(/^ {2}([a-z]+)(?: \[| <|\s{2,})/gm)]
    .map(([, name]) => name ?? '')
    .filter((name) => name !== 'help');
  const parts = await Promise.all(
    names.map(async (name) => `## starr ${name}\n\n\`\`\`\n${await help([name])}\n\`\`\``),
  );
  await writePage(
    'docs/cli.md',
    ['# The starr command', `\`\`\`\n${top}\n\`\`\``, ...parts].join('\n\n'),
  );
}

async function help(args: readonly string[]): Promise<string> {
  const options = ['--disable-warning=ExperimentalWarning', '--conditions=@starr/source', MAIN];
  const { stdout } = await promisify(execFile)(process.execPath, [...options, ...args, '--help'], {
    env: { ...process.env, COLUMNS: '100' },
  });
  return stdout.trimEnd();
}
