import type { Adapter, Limit } from '@starr/kernel';
import type { ResilienceAct, ResilienceRequest } from '../request.ts';
import type { Fleet } from './fleet.ts';
import { probeDependency } from './probe-dependency.ts';
import { recallFromFleet, resetInFleet } from './reset-in-fleet.ts';

export interface ResilienceAdapterOptions {
  readonly fleet: Pick<Fleet, 'look' | 'command' | 'waitForAttached' | 'size'>;
  /** How long a process may take to report. Default 700. */
  readonly reportWithinMs?: number;
  /** How long a process may take to acknowledge. Default 2000. */
  readonly acknowledgeWithinMs?: number;
}

const standardReportMs = 700;
const standardAcknowledgeMs = 2000;
const graceMs = 100;

/** The way to the attached processes and to the doors of their dependencies. Does not own the fleet. */
export function createResilienceAdapter(
  options: ResilienceAdapterOptions,
): Adapter<ResilienceRequest, ResilienceAct> {
  const { fleet, reportWithinMs = standardReportMs } = options;
  const { acknowledgeWithinMs = standardAcknowledgeMs } = options;
  return {
    greet: () => Promise.resolve({ version: '', now: new Date() }),
    async perform(request, limit) {
      const withinMs = Math.max(1, limit.timeoutMs - graceMs);
      switch (request.kind) {
        case 'processes':
          limit.spend('reports', fleet.size);
          return fleet.look(Math.min(reportWithinMs, withinMs), limit.signal);
        case 'probe-dependencies':
          return probeAll(request.dependencies, withinMs, limit);
      }
    },
    // one kind of act; a second one does not compile until it has its place in a switch here
    apply: (act, operationId) => resetInFleet(fleet, act, operationId, acknowledgeWithinMs),
    probe: (act, operationId, limit) =>
      recallFromFleet(fleet, act, operationId, limit.timeoutMs - graceMs),
    close: () => Promise.resolve(),
  };
}

function probeAll(
  dependencies: Extract<ResilienceRequest, { kind: 'probe-dependencies' }>['dependencies'],
  withinMs: number,
  limit: Limit,
): Promise<unknown> {
  limit.spend('probes', dependencies.length);
  return Promise.all(
    dependencies.map((dependency) => probeDependency(dependency, withinMs, limit.signal)),
  );
}
