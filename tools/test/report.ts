import type { Tally } from './tally.ts';

/** One line a check, with its output only when it failed. */
export function report(name: string, ok: boolean, startedAtMs: number, output: string): Tally {
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
  console.log(`${ok ? 'ok     ' : 'FAILED '} ${name}  ${seconds} s`);
  if (!ok) console.log(output.trimEnd());
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 };
}
