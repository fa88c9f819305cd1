import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { heapSlopeOf, type HeapSample, type HeapSlope } from './heap-slope.ts';
import type { Workload } from './workload.ts';

const SETTLE_MS = 60;

export interface SoakOptions {
  readonly forMs: number;
  readonly sampleEveryMs: number;
  readonly onSample?: (sample: HeapSample) => void;
}

export interface SoakResult {
  readonly samples: readonly HeapSample[];
  readonly calls: number;
  readonly tookMs: number;
  readonly slope: HeapSlope;
}

/** Fewer say nothing of a slope. */
const LEAST_SAMPLES = 8;

/** Turns the workload for so long; each sample is taken after everything that can be collected has been. */
export async function soak(workload: Workload, options: SoakOptions): Promise<SoakResult> {
  const collect = collector();
  const startedAtMs = performance.now();
  const samples: HeapSample[] = [];
  let calls = 0;
  let sampledAtMs = startedAtMs;
  for (;;) {
    calls += await workload.turn();
    const nowMs = performance.now();
    if (nowMs - sampledAtMs < options.sampleEveryMs) continue;
    sampledAtMs = nowMs;
    // what the last turn left behind it ends by itself: late acts, leases, signals
    await sleep(SETTLE_MS);
    collect();
    const sample = {
      atMs: nowMs - startedAtMs,
      calls,
      heapBytes: process.memoryUsage().heapUsed,
    };
    samples.push(sample);
    options.onSample?.(sample);
    // on a busy machine a turn may take as long as all of it should
    if (sample.atMs >= options.forMs && samples.length >= LEAST_SAMPLES) break;
  }
  return { samples, calls, tookMs: performance.now() - startedAtMs, slope: heapSlopeOf(samples) };
}

function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  return () => {
    // the second one finds what the first one's finalizers let go
    collect();
    collect();
  };
}
