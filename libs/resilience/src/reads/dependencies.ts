import { type Read } from '@starr/kernel';
import { processesOptionsOf } from '../processes-options.ts';
import type { DependencyProbe, ResilienceRequest } from '../request.ts';

const maxDependencies = 100;

/** One GET for each configured dependency, from here: not the way that the processes have, but the same door. */
export const dependenciesRead: Read<readonly DependencyProbe[], ResilienceRequest> = {
  id: 'resilience.dependency-probes',
  timeoutMs: 1800,
  maxRows: maxDependencies,
  request: (look) => ({
    kind: 'probe-dependencies',
    dependencies: processesOptionsOf(look).dependencies.slice(0, maxDependencies),
  }),
  parse: (raw) => raw as readonly DependencyProbe[],
};
