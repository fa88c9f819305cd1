import { soak } from './soak.ts';
import { createWorkload } from './workload.ts';

/**
 * `npm run soak [minutes]`: everything that the policies do, for ten minutes at least unless told otherwise, and the
 * heap. 1 when the heap grows.
 */
const MINUTES = 10;
const SAMPLES = 60;
const LEAST_MINUTES = 0.1;
/** Over the later half of the run: what the figures of a heap vary by anyway. */
const MOST_GROWTH_RATIO = 0.02;

const minutes = Number(process.argv[2] ?? MINUTES);
if (!(minutes >= LEAST_MINUTES)) {
  process.stderr.write(`minutes is "${process.argv[2] ?? ''}"; allowed: a number from 0.1\n`);
  process.exitCode = 3;
} else {
  process.exitCode = await run();
}

async function run(): Promise<number> {
  const forMs = minutes * 60_000;
  const workload = createWorkload();
  const { calls, tookMs, samples, slope } = await soak(workload, {
    forMs,
    sampleEveryMs: forMs / SAMPLES,
    onSample: ({ atMs, calls: made, heapBytes }) => {
      process.stderr.write(
        `soak  ${(atMs / 60_000).toFixed(1)} min, ${millions(made)} calls, heap ${mib(heapBytes)}\n`,
      );
    },
  });
  const heapBytes = samples.at(-1)?.heapBytes ?? 0;
  const ratio = slope.growthBytes / heapBytes;
  const isMet = ratio <= MOST_GROWTH_RATIO;
  console.log(
    [
      `${(tookMs / 60_000).toFixed(1)} minutes, ${millions(calls)} calls, Node ${process.version}`,
      Object.entries(workload.totals())
        .map(([name, count]) => `${name} ${count}`)
        .join(', '),
      `heap ${mib(samples[0]?.heapBytes ?? 0)} at first, ${mib(heapBytes)} at last`,
      `slope of the later half: ${(slope.bytesPerMinute / 1024).toFixed(1)} KiB a minute, ${slope.bytesPerMillionCalls.toFixed(0)} bytes a million calls`,
      `${isMet ? 'met   ' : 'MISSED'} at most ${MOST_GROWTH_RATIO * 100} % in the later half: ${(ratio * 100).toFixed(2)} %`,
    ].join('\n'),
  );
  return isMet ? 0 : 1;
}

function millions(count: number): string {
  return `${(count / 1e6).toFixed(2)} M`;
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(2)} MiB`;
}
