import type { KubeApi } from '../kubernetes/kube-api.ts';

/** The static users of a stage's cluster: one that looks, one that acts. */
export const CLUSTER_USERS = { diagnosing: 'diagnoser', acting: 'actor' } as const;

const LOOKS = [
  { apiGroups: [''], resources: ['pods', 'services', 'events'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: [''], resources: ['pods/log', 'namespaces'], verbs: ['get'] },
  {
    apiGroups: ['apps'],
    resources: ['deployments', 'replicasets', 'statefulsets', 'daemonsets', 'controllerrevisions'],
    verbs: ['get', 'list', 'watch'],
  },
  { apiGroups: ['autoscaling'], resources: ['horizontalpodautoscalers'], verbs: ['get', 'list'] },
  { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: ['get', 'list'] },
];
const ACTS = [
  ...LOOKS,
  { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'list', 'watch', 'patch'] },
];

/** Gives both users what `starr grants` would print for one namespace. */
export async function grantClusterUsers(api: KubeApi, namespace: string): Promise<void> {
  await make(api, '/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace },
  });
  for (const [name, user, rules] of [
    ['starr-looks', CLUSTER_USERS.diagnosing, LOOKS],
    ['starr-acts', CLUSTER_USERS.acting, ACTS],
  ] as const) {
    const base = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
    await make(api, `${base}/roles`, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name },
      rules,
    });
    await make(api, `${base}/rolebindings`, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
    });
  }
}

async function make(api: KubeApi, path: string, body: object): Promise<void> {
  const { status, body: says } = await api.send({ method: 'POST', path, body });
  if (status >= 400 && status !== 409)
    throw new Error(`${path} answered ${status}: ${JSON.stringify(says)}`);
}
