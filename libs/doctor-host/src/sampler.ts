import { isBlindSpot, type AnyDiagnostic, type Clock, type Read } from '@starr/kernel';
import { startReading, type TargetState } from './examine.ts';

export interface SamplerOptions {
  /** Between two samples of a target; default 15 000. */
  readonly intervalMs: number;
  /** For one sample of one target; default 1000. */
  readonly budgetMs: number;
}

/** After a failed sample a target is left alone for this many intervals. */
const REST_INTERVALS = 4;

/**
 * Takes samples of what windowed reads compare, slowly and within a budget, so that a sweep at night
 * finds history. Stops with the returned function.
 */
export function startSampler(
  states: readonly TargetState[],
  diagnostics: readonly AnyDiagnostic[],
  clock: Clock,
  options: SamplerOptions,
): () => void {
  const reads = windowedReads(diagnostics);
  if (reads.length === 0) return () => undefined;
  const stop = new AbortController();
  const rest = new Map<string, number>();
  const timer = setInterval(() => {
    for (const state of states) {
      const resting = rest.get(state.target.name) ?? 0;
      if (resting > 0) rest.set(state.target.name, resting - 1);
      else
        void sample(state, reads, clock, options, stop.signal).then((ok) =>
          rest.set(state.target.name, ok ? 0 : REST_INTERVALS),
        );
    }
  }, options.intervalMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    stop.abort();
  };
}

async function sample(
  state: TargetState,
  reads: readonly Read<unknown>[],
  clock: Clock,
  options: SamplerOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const reading = startReading(
    { clock, pairGapMs: 0 },
    state,
    { windowMs: 60_000 },
    options.budgetMs,
    signal,
  );
  if (isBlindSpot(await reading.look())) return false;
  const saws = await Promise.all(
    reads.map(async (read) => [read, await reading.see(read)] as const),
  );
  for (const [read, { value, observedTo }] of saws) {
    if (!isBlindSpot(value))
      state.samples.add(read.id, { atMs: clock.monotonicMs(), takenAt: observedTo, value });
  }
  return saws.every(([, { value }]) => !isBlindSpot(value));
}

/** The inner reads, each once. */
function windowedReads(diagnostics: readonly AnyDiagnostic[]): readonly Read<unknown>[] {
  const inner = diagnostics
    .flatMap(({ reads }) => Object.values(reads))
    .flatMap((read) => windowedInner(read));
  return [...new Map(inner.map((read) => [read.id, read])).values()];
}

function windowedInner(read: Read<unknown>): Read<unknown>[] {
  if (!read.wrap) return [];
  return read.wrap.as === 'windowed' ? [read.wrap.inner] : windowedInner(read.wrap.inner);
}
