import type { Catalog } from '@starr/kernel';
import { errorDistribution } from './diagnostics/error-distribution.ts';
import { podStatus } from './diagnostics/pod-status.ts';
import { restarts } from './diagnostics/restarts.ts';
import { rollouts } from './diagnostics/rollouts.ts';
import { kubernetesGrants } from './grants/grants.ts';
import { workloadsRead } from './reads/workloads.ts';
import { rollback } from './remedies/rollback.ts';
import type { KubernetesAct, KubernetesRequest } from './request.ts';

/** What a cluster can be asked and what can be done for it. */
export const kubernetesCatalog: Catalog<KubernetesRequest, KubernetesAct> = {
  diagnostics: [podStatus, restarts, rollouts, errorDistribution],
  remedies: [rollback],
  resolvers: [{ kinds: ['address', 'pod', 'deployment', 'revision'], read: workloadsRead }],
  grants: kubernetesGrants,
};
