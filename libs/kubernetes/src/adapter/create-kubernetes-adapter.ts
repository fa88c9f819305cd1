import { DoctorError, systemClock, type Adapter, type Clock } from '@starr/kernel';
import type { KubernetesConfig } from '../kubernetes-config.ts';
import type { KubernetesAct, KubernetesRequest } from '../request.ts';
import { applyAct } from './apply.ts';
import { createClient } from './client.ts';
import { greetCluster } from './greet.ts';
import { createHealthMemory } from './health-memory.ts';
import { createLogVault } from './log-vault.ts';
import { createPerformer } from './perform.ts';
import { probeAct } from './probe.ts';

/** All that touches a cluster. Connects at the first request; `close` ends its connections. */
export function createKubernetesAdapter(
  config: KubernetesConfig,
  clock: Clock = systemClock,
): Adapter<KubernetesRequest, KubernetesAct> {
  const diagnosing = createClient(config.diagnosing, config, clock);
  const acting = config.acting && createClient(config.acting, config, clock);
  const looking = { ask: diagnosing.ask, namespaces: config.namespaces };
  const performer = createPerformer(looking, acting?.ask, createHealthMemory(), createLogVault());
  const running = new Map<string, AbortController>();

  return {
    greet: (limit) => greetCluster(diagnosing.ask, limit),
    perform: (request, limit) => performer.perform(request, limit),
    async *apply(act, operationId, limit) {
      if (!acting) {
        yield { kind: 'outcome', outcome: 'failed', says: 'no acting credential is configured' };
        return;
      }
      if (!config.namespaces.includes(act.namespace)) {
        const says = `namespace ${act.namespace} is not configured for this target`;
        yield { kind: 'outcome', outcome: 'refused', says };
        return;
      }
      const stop = new AbortController();
      running.set(operationId, stop);
      try {
        const way = { ask: acting.ask, looking, clock, stop: stop.signal };
        yield* applyAct(way, act, operationId, limit);
      } finally {
        running.delete(operationId);
      }
    },
    probe(act, operationId, limit) {
      if (running.has(operationId)) {
        return Promise.resolve({ state: 'running', says: 'the rollout is being waited for' });
      }
      return probeAct((acting ?? diagnosing).ask, act, operationId, clock, limit);
    },
    cancel(operationId) {
      running.get(operationId)?.abort(new DoctorError('WIRE_CANCELLED'));
      return Promise.resolve();
    },
    close() {
      for (const stop of running.values()) stop.abort();
      diagnosing.close();
      acting?.close();
      return Promise.resolve();
    },
  };
}
