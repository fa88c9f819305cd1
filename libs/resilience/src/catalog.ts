import type { Catalog } from '@starr/kernel';
import { breakers } from './diagnostics/breakers.ts';
import { dependencies } from './diagnostics/dependencies.ts';
import { pools } from './diagnostics/pools.ts';
import { queues } from './diagnostics/queues.ts';
import { processesRead } from './reads/processes.ts';
import { resetBreaker } from './remedies/reset-breaker.ts';
import type { ResilienceAct, ResilienceRequest } from './request.ts';

/** What attached processes can be asked and what can be done for them. */
export const resilienceCatalog: Catalog<ResilienceRequest, ResilienceAct> = {
  diagnostics: [breakers, queues, pools, dependencies],
  remedies: [resetBreaker],
  resolvers: [
    {
      kinds: ['process', 'service', 'address', 'pod', 'breaker', 'queue', 'pool', 'dependency'],
      read: processesRead,
    },
  ],
};
