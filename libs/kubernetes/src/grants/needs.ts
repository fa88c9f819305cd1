import type { Permission } from './permission.ts';

/** A permission in every configured namespace. */
export type Need = Omit<Permission, 'namespace'>;

/** All that the checks ask for: no secrets, no nodes/proxy, no pods/exec. */
export const DIAGNOSING_NEEDS: readonly Need[] = [
  { verb: 'list', group: '', resource: 'pods' },
  { verb: 'get', group: '', resource: 'pods/log' },
  { verb: 'list', group: '', resource: 'events' },
  // a Role may hold it for its own namespace: tells an empty namespace from one that is not there
  { verb: 'get', group: '', resource: 'namespaces' },
  { verb: 'list', group: 'apps', resource: 'replicasets' },
  { verb: 'list', group: 'apps', resource: 'deployments' },
  { verb: 'list', group: 'autoscaling', resource: 'horizontalpodautoscalers' },
];

/** All that k8s.rollback does beside what it reads with the diagnosing account. */
export const ACTING_NEEDS: readonly Need[] = [
  { verb: 'get', group: 'apps', resource: 'deployments' },
  { verb: 'patch', group: 'apps', resource: 'deployments' },
  { verb: 'get', group: 'apps', resource: 'replicasets' },
];
