import { createDoctor } from '@starr/doctor-host';
import { defineDiagnostic, type Adapter, type Catalog, type Read } from '@starr/kernel';
import { spreadOf, type Spread } from '../statistics.ts';

const CHECKS = 20;
const RUNS = 50;

export interface RunnerBench {
  readonly checks: number;
  /** All checks through the host, on an adapter that answers at once. */
  readonly hosted: Spread;
  /** The same reads asked of the adapter directly. */
  readonly direct: Spread;
}

/** What the host itself costs: reads that cost nothing, each of its own, through `examine` and without it. */
export async function benchRunner(): Promise<RunnerBench> {
  const adapter = trivialAdapter();
  const doctor = createDoctor({
    name: 'bench-doctor',
    catalog: trivialCatalog(),
    targets: [{ name: 'patient', kind: 'trivial', adapter, acts: false }],
    sampler: 'off',
  });
  const hosted = await timed(async () => {
    const signal = AbortSignal.timeout(10_000);
    let seen = 0;
    for await (const { verdict } of doctor.examine({ windowMs: 60_000, budgetMs: 4000 }, signal))
      seen += verdict.measured.length;
    if (seen !== CHECKS) throw new Error(`${seen} of ${CHECKS} checks measured something`);
  });
  const limit = {
    timeoutMs: 1000,
    maxRows: 1,
    signal: new AbortController().signal,
    spend: () => undefined,
  };
  const direct = await timed(async () => {
    await adapter.greet(limit);
    await Promise.all(Array.from({ length: CHECKS }, (_, n) => adapter.perform({ n }, limit)));
  });
  await doctor.close();
  return { checks: CHECKS, hosted, direct };
}

async function timed(run: () => Promise<void>): Promise<Spread> {
  const tookMs: number[] = [];
  for (let done = 0; done < RUNS; done += 1) {
    const startedAtMs = performance.now();
    await run();
    tookMs.push(performance.now() - startedAtMs);
  }
  return spreadOf(tookMs);
}

interface TrivialRequest {
  readonly n: number;
}

function trivialAdapter(): Adapter<TrivialRequest, never> {
  return {
    greet: () => Promise.resolve({ version: '1', now: new Date() }),
    perform: ({ n }) => Promise.resolve(n),
    async *apply() {
      await Promise.reject(new Error('nothing can be done here'));
    },
    probe: () => Promise.reject(new Error('nothing was done here')),
    close: () => Promise.resolve(),
  };
}

function trivialCatalog(): Catalog<TrivialRequest, never> {
  const diagnostics = Array.from({ length: CHECKS }, (_, n) => {
    const read: Read<number, TrivialRequest> = {
      id: `bench.number-${n}`,
      timeoutMs: 1000,
      maxRows: 1,
      request: () => ({ n }),
      parse: (raw) => Number(raw),
    };
    return defineDiagnostic({
      id: `bench.check-${n}`,
      title: `Number ${n}`,
      replaces: [],
      explains: 'Asks for a number and measures it.',
      reads: { read },
      thresholds: {},
      measures: { number: { unit: 'count', says: 'the number' } },
      judge: (seen) => ({
        measured: [{ name: 'number', about: { kind: 'node', name: 'patient' }, value: seen.read }],
      }),
    });
  });
  return { diagnostics, remedies: [], resolvers: [] };
}
