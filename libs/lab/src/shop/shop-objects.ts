/** The shop's objects in a cluster, as a team would write them. */

export interface ShopWorkload {
  readonly name: 'checkout' | 'worker';
  readonly namespace: string;
  /** e.g. `shop/checkout:1.8.1`. */
  readonly image: string;
  readonly replicas: number;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export const SHOP_PORT = 8080;

const DOWNWARD = {
  POD_NAME: 'metadata.name',
  POD_NAMESPACE: 'metadata.namespace',
  POD_IP: 'status.podIP',
};

export function deploymentOf(workload: ShopWorkload): object {
  const labels = { app: workload.name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: workload.name, namespace: workload.namespace, labels },
    spec: {
      replicas: workload.replicas,
      selector: { matchLabels: labels },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: { labels },
        spec: { terminationGracePeriodSeconds: 5, containers: [containerOf(workload)] },
      },
    },
  };
}

function containerOf({ name, image, env }: ShopWorkload): object {
  return {
    name,
    image,
    ports: [{ name: 'http', containerPort: SHOP_PORT }],
    env: [
      ...Object.entries(DOWNWARD).map(([variable, fieldPath]) => ({
        name: variable,
        valueFrom: { fieldRef: { fieldPath } },
      })),
      { name: 'SHOP_PORT', value: String(SHOP_PORT) },
      ...envList(env),
    ],
    readinessProbe: { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 1 },
    resources: { requests: { cpu: '50m', memory: '128Mi' } },
  };
}

/** Variables that are undefined are left out. */
export function envList(env: ShopWorkload['env']): { name: string; value: string }[] {
  return Object.entries(env).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name, value }],
  );
}

export function serviceOf({ name, namespace }: Pick<ShopWorkload, 'name' | 'namespace'>): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { selector: { app: name }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
  };
}
