/**
 * A Kubernetes cluster as a target: what can be asked of it, what can be done for it, and the adapter that does both.
 *
 * For apps.
 */
export { kubernetesCatalog } from './catalog.ts';
export { createKubernetesAdapter } from './adapter/create-kubernetes-adapter.ts';
export type { KubernetesAccess, KubernetesConfig } from './kubernetes-config.ts';

/* For other libraries and for tests: what travels between catalog and adapter. */
export type { KubernetesAct, KubernetesRequest } from './request.ts';
export { mineTemplates, type Template } from './logs/template-miner.ts';
