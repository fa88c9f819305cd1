import { act } from './contestant.ts';
import { findRace } from './races.ts';

/**
 * One contestant of one race in a process of its own, so that nobody runs on code that was optimised, or spoilt, for
 * another: `measure.ts <race> <who> <samples> <sampleMs>`. Prints one line of JSON, a MeasuredContestant.
 */
export interface MeasuredContestant {
  /** Nanoseconds of processor time of one bare await, by sample. */
  readonly bareNs: readonly number[];
  /** Nanoseconds of processor time of one guarded call, by sample; each was taken right after the bare one of the same place. */
  readonly callNs: readonly number[];
}

type Loop = (call: () => Promise<unknown>, times: number) => Promise<void>;

// Two loops of the same text: each is optimised for what it calls.
const bareLoop: Loop = async (call, times) => {
  for (let done = 0; done < times; done++) {
    try {
      await call();
    } catch {
      // a refusal is what is measured
    }
  }
};

const guardedLoop: Loop = async (call, times) => {
  for (let done = 0; done < times; done++) {
    try {
      await call();
    } catch {
      // a refusal is what is measured
    }
  }
};

/** Of processor time, its threads for the collection of garbage included: what else the machine does takes none of it. */
async function nsOf(loop: Loop, call: () => Promise<unknown>, times: number): Promise<number> {
  const before = process.cpuUsage();
  await loop(call, times);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / times;
}

/** How many calls take about so long; found by doubling, which also warms the code up. */
async function timesFor(loop: Loop, call: () => Promise<unknown>, ms: number): Promise<number> {
  for (let times = 16; ; times *= 2) {
    const ns = await nsOf(loop, call, times);
    if (ns * times >= ms * 1e6) return Math.max(1, Math.round((ms * 1e6) / ns));
  }
}

const [race = '', who = '', samples = '15', sampleMs = '20'] = process.argv.slice(2);
const { call, callsEach = 1, end } = findRace(race, who)();
const bareTimes = await timesFor(bareLoop, act, Number(sampleMs));
const callTimes = await timesFor(guardedLoop, call, Number(sampleMs));
const measured = { bareNs: [] as number[], callNs: [] as number[] } satisfies MeasuredContestant;
for (let sample = 0; sample < Number(samples); sample++) {
  measured.bareNs.push(await nsOf(bareLoop, act, bareTimes));
  measured.callNs.push((await nsOf(guardedLoop, call, callTimes)) / callsEach);
}
end?.();
process.stdout.write(`${JSON.stringify(measured)}\n`);
// what a rival still holds open is not waited for
process.exit(0);
