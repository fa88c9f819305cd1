import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { runCommand } from '../../run-command.ts';
import { spreadOf, type Spread } from '../../statistics.ts';

const RACE_TIMEOUT_MS = 180_000;
const RACES = new URL('../../../../libs/policies/src/rivals/race/', import.meta.url);

/** Nanoseconds of one call. */
export interface Laps {
  readonly bare: Spread;
  readonly call: Spread;
  /** Of each guarded call less the bare one that was measured right before it. */
  readonly over: Spread;
}

const lapsSchema = z.object({ bareNs: z.array(z.number()), callNs: z.array(z.number()) });
const idleSchema = z.object({
  bytesEach: z.number(),
  busyRatio: z.number(),
  busyRatioBefore: z.number(),
});

export type Idle = z.infer<typeof idleSchema>;

export interface RaceSize {
  readonly samples: number;
  readonly sampleMs: number;
}

/** One contestant in a process of its own, so that nobody runs on code that was optimised for another. */
export async function runContestant(
  race: string,
  who: string,
  { samples, sampleMs }: RaceSize,
): Promise<Laps> {
  const args = ['measure.ts', race, who, String(samples), String(sampleMs)];
  const { bareNs, callNs } = lapsSchema.parse(await measured(args));
  return {
    bare: spreadOf(bareNs),
    call: spreadOf(callNs),
    over: spreadOf(callNs.map((ns, sample) => ns - (bareNs[sample] ?? Number.NaN))),
  };
}

/** So many breakers that nobody calls. */
export async function runIdle(who: string, count: number, forMs: number): Promise<Idle> {
  return idleSchema.parse(
    await measured(['measure-idle.ts', who, String(count), String(forMs)], ['--expose-gc']),
  );
}

async function measured(
  [file = '', ...args]: readonly string[],
  flags: readonly string[] = [],
): Promise<unknown> {
  const { code, stdout, stderr } = await runCommand({
    program: process.execPath,
    args: [
      '--disable-warning=ExperimentalWarning',
      ...flags,
      fileURLToPath(new URL(file, RACES)),
      ...args,
    ],
    // what the caller's own process is started with is not for this one
    env: { NODE_OPTIONS: '' },
    timeoutMs: RACE_TIMEOUT_MS,
  });
  if (code !== 0) throw new Error(`${file} ${args.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout);
}
