import { setTimeout as sleep } from 'node:timers/promises';
import { ConsecutiveBreaker, SamplingBreaker, circuitBreaker, handleAll } from 'cockatiel';
import CircuitBreaker from 'opossum';
import { Breaker } from '../../breaker.ts';
import { act } from './contestant.ts';

/**
 * What breakers cost that nobody calls, in a process of its own with `--expose-gc`:
 * `measure-idle.ts <who> <count> <forMs>`. Prints one line of JSON, a MeasuredIdle.
 */
export interface MeasuredIdle {
  /** Of heap and of the buffers outside of it. */
  readonly bytesEach: number;
  /** Processor time of the whole process, of all that passed; 0–1. */
  readonly busyRatio: number;
  /** Of the same process before it had any. */
  readonly busyRatioBefore: number;
}

const makers: Record<string, (() => unknown) | undefined> = {
  starr: () => new Breaker('idle'),
  'starr-consecutive': () => new Breaker('idle', { opensOn: { kind: 'consecutive', failures: 5 } }),
  opossum: () => new CircuitBreaker(act),
  cockatiel: () =>
    circuitBreaker(handleAll, {
      breaker: new SamplingBreaker({ threshold: 0.5, duration: 10_000 }),
      halfOpenAfter: 1000,
    }),
  'cockatiel-consecutive': () =>
    circuitBreaker(handleAll, { breaker: new ConsecutiveBreaker(5), halfOpenAfter: 1000 }),
};

function bytes(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function busyFor(ms: number): Promise<number> {
  const before = process.cpuUsage();
  await sleep(ms);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / ms;
}

const [who = '', count = '10000', forMs = '2000'] = process.argv.slice(2);
const make = makers[who];
if (!make || !globalThis.gc) throw new RangeError(`no idle breaker ${who}, or no --expose-gc`);
make();
const busyRatioBefore = await busyFor(Number(forMs) / 4);
const before = bytes();
const all = Array.from({ length: Number(count) }, make);
const bytesEach = (bytes() - before) / all.length;
const busyRatio = await busyFor(Number(forMs));
const measured: MeasuredIdle = { bytesEach, busyRatio, busyRatioBefore };
process.stdout.write(`${JSON.stringify(measured)}\n`);
process.exit(all.length > 0 ? 0 : 1);
