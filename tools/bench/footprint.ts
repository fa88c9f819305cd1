import { setTimeout as sleep } from 'node:timers/promises';
import type { Counts } from './patient-counts.ts';

/** What one run of something asked of the patients, by name; nothing that others asked meanwhile. */
export type NetCounts = Readonly<Record<string, number>>;

/** What happens anyway: by reading the counters once, and in a millisecond of rest. */
export interface Background {
  readonly ofReading: Counts;
  readonly aMs: Counts;
}

/** Below this it is rounding of the background, not a request. */
const LEAST = 0.25;

/** Reads the counters twice at once, then once more after a rest. */
export async function measureBackground(
  read: () => Promise<Counts>,
  restMs: number,
): Promise<Background> {
  const first = await read();
  const second = await read();
  const startedAtMs = performance.now();
  await sleep(restMs);
  const third = await read();
  const elapsedMs = performance.now() - startedAtMs;
  const ofReading = minus(second, first);
  const rest = minus(minus(third, second), ofReading);
  return { ofReading, aMs: mapCounts(rest, (count) => Math.max(0, count) / elapsedMs) };
}

/** Runs it several times between two readings. */
export async function measureFootprint(
  read: () => Promise<Counts>,
  background: Background,
  runs: number,
  run: () => Promise<unknown>,
): Promise<NetCounts> {
  const before = await read();
  const startedAtMs = performance.now();
  for (let done = 0; done < runs; done += 1) await run();
  const elapsedMs = performance.now() - startedAtMs;
  return netCounts({ before, after: await read(), background, elapsedMs, runs });
}

export interface Measured {
  readonly before: Counts;
  readonly after: Counts;
  readonly background: Background;
  readonly elapsedMs: number;
  readonly runs: number;
}

export function netCounts({ before, after, background, elapsedMs, runs }: Measured): NetCounts {
  const gross = minus(minus(after, before), background.ofReading);
  const anyway = mapCounts(background.aMs, (count) => count * elapsedMs);
  const each = mapCounts(minus(gross, anyway), (count) => count / runs);
  return Object.fromEntries(Object.entries(each).filter(([, count]) => count >= LEAST));
}

function minus(from: Counts, what: Counts): Counts {
  const names = [...Object.keys(from), ...Object.keys(what).filter((name) => !(name in from))];
  return Object.fromEntries(names.map((name) => [name, (from[name] ?? 0) - (what[name] ?? 0)]));
}

function mapCounts(counts: Counts, map: (count: number) => number): Counts {
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, map(count)]));
}
