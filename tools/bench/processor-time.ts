import { readFile } from 'node:fs/promises';
import { runCommand, type CommandLine } from './run-command.ts';

/** Of Linux: jiffies in /proc are hundredths of a second. */
const JIFFY_MS = 10;

/** Processor time of a process and all that it started, by the shell's own account. Milliseconds. */
export async function processorMsOf({ program, args, env }: CommandLine): Promise<number> {
  const { stdout } = await runCommand({
    program: 'sh',
    args: ['-c', '"$0" "$@" >/dev/null 2>&1; times', program, ...args],
    ...(env && { env }),
  });
  return parseTimes(stdout);
}

/** The second line of POSIX `times`: user and system time of the children, `0m1.250000s 0m0.130000s`. */
export function parseTimes(text: string): number {
  const [, children = ''] = text.trim().split('\n');
  const parts = [...children.matchAll(/(\d+)m([\d.]+)s/g)];
  return parts.reduce((sum, [, minutes, seconds]) => sum + toMs(minutes, seconds), 0);
}

function toMs(minutes: string | undefined, seconds: string | undefined): number {
  return Math.round((Number(minutes) * 60 + Number(seconds)) * 1000);
}

/** Of processes that go on, since they started; 0 where there is no /proc. Milliseconds. */
export async function processorMsOfPids(pids: readonly number[]): Promise<number> {
  const each = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')),
  );
  return each.reduce((sum, text) => sum + parseStat(text), 0);
}

/** The name in brackets may hold anything; user and system time are the 12th and 13th field after it. */
export function parseStat(text: string): number {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [user = 0, system = 0] = fields.slice(11, 13).map(Number);
  return (user + system) * JIFFY_MS;
}
