import { randomUUID } from 'node:crypto';
import { systemClock, type Catalog, type Clock, type Doctor } from '@starr/kernel';
import { createLog, type Log } from '@starr/telemetry';
import { adviseGrants } from './advise-grants.ts';
import { checkThresholds } from './check-request.ts';
import { describe } from './describe.ts';
import { examine, type TargetState } from './examine.ts';
import type { HostedTarget } from './hosted-target.ts';
import { Operations } from './operations.ts';
import { plan } from './plan.ts';
import { resolve } from './resolve.ts';
import { DEFAULT_SAMPLE_LIMITS, Samples, type SampleLimits } from './samples.ts';
import { startSampler, type SamplerOptions } from './sampler.ts';
import { createSealing } from './sealing.ts';
import { SharedWork } from './shared-work.ts';

export interface DoctorOptions<Q, O> {
  /** db-doctor, cache-doctor … */
  readonly name: string;
  readonly catalog: Catalog<Q, O>;
  readonly targets: readonly HostedTarget<Q, O>[];
  /** Keyed seals; 32 bytes, kept between lives so that old operations can be probed. Absent: a new one, for this life only. */
  readonly sealKey?: Uint8Array;
  /** The orchestrator's public key, PEM. Absent: nothing is applied. */
  readonly grantPublicKeyPem?: string | undefined;
  readonly clock?: Clock;
  readonly log?: Log;
  /** Absent: sampled every 15 s with a budget of 1 s. `off`: history comes from sweeps alone. */
  readonly sampler?: Partial<SamplerOptions> | 'off';
  readonly sampleLimits?: Partial<SampleLimits>;
  /** Between two samples when there is no history; default 300. */
  readonly pairGapMs?: number;
  /** How long a plan may be applied; default 15 minutes. */
  readonly sealLifetimeMs?: number;
  /** How long an act may take; default an hour. */
  readonly actTimeoutMs?: number;
}

/** Catalog + adapters → the Doctor port, on this side of any wire. Owns the adapters; `close` ends them. */
export function createDoctor<Q, O>(
  options: DoctorOptions<Q, O>,
): Doctor & { close(): Promise<void> } {
  const { name, catalog, clock = systemClock, log = createLog(name), pairGapMs = 300 } = options;
  const { diagnostics, remedies, resolvers } = catalog as Catalog;
  const targets = options.targets as readonly HostedTarget[];
  for (const target of targets) {
    for (const [id, values] of Object.entries(target.thresholds ?? {}))
      checkThresholds(id, values, diagnostics);
  }
  const states = targets.map((target) => createState(target, clock, options.sampleLimits));
  const stopSampler = sampling(options.sampler, states, diagnostics, clock);
  const life = randomUUID();
  const sealing = createSealing(options.sealKey ?? crypto.getRandomValues(new Uint8Array(32)));
  const operations = new Operations({
    doctor: name,
    life,
    states,
    clock,
    sealing,
    log,
    grantPublicKeyPem: options.grantPublicKeyPem,
    actTimeoutMs: options.actTimeoutMs ?? 3_600_000,
  });
  const planning = {
    doctor: name,
    life,
    remedies,
    states,
    clock,
    sealing,
    pairGapMs,
    sealLifetimeMs: options.sealLifetimeMs ?? 900_000,
  };
  return {
    describe: () => Promise.resolve(describe(name, diagnostics, remedies, targets)),
    examine: (request, signal) =>
      examine({ diagnostics, states, clock, log, pairGapMs }, request, signal),
    resolve: (keys, signal) => resolve({ resolvers, states, clock, pairGapMs }, keys, signal),
    grants: (target, signal) =>
      adviseGrants(
        { advisor: (catalog as Catalog).grants, states, clock, pairGapMs },
        target,
        signal,
      ),
    plan: (request, signal) => plan(planning, request, signal),
    apply: (request, signal) => operations.apply(request, signal),
    cancel: (operation) => operations.cancel(operation),
    probe: (operation) => operations.probe(operation),
    close: async () => {
      stopSampler();
      await Promise.allSettled(targets.map(({ adapter }) => adapter.close()));
    },
  };
}

function sampling(
  options: DoctorOptions<unknown, unknown>['sampler'],
  states: readonly TargetState[],
  diagnostics: Catalog['diagnostics'],
  clock: Clock,
): () => void {
  if (options === 'off') return () => undefined;
  return startSampler(states, diagnostics, clock, {
    intervalMs: 15_000,
    budgetMs: 1000,
    ...options,
  });
}

function createState(
  target: HostedTarget,
  clock: Clock,
  limits: Partial<SampleLimits> | undefined,
): TargetState {
  return {
    target,
    samples: new Samples({ ...DEFAULT_SAMPLE_LIMITS, ...limits }),
    shared: new SharedWork(() => clock.monotonicMs()),
  };
}
