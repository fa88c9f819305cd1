import type { ControlPlaneFiles } from './control-plane-files.ts';

export type KubernetesComponent =
  'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler';

/** What tests turn to see a cluster in a state that is rare or late by nature. */
export interface ControlPlaneTuning {
  /** How long events live. Default 3600 (Kubernetes' own). */
  readonly eventTtlSeconds?: number;
  /**
   * Requests at once before the API server answers 429, for all users together and instead of its
   * fairness. Absent: priority and fairness, as usual. `system:masters` are limited, too.
   */
  readonly maxRequestsInflight?: number;
  /** How long a node may be silent before it counts as not ready. Default 50 (Kubernetes' own). */
  readonly nodeMonitorGraceSeconds?: number;
  /** More flags for a component, e.g. `{ 'kube-apiserver': ['--v=4'] }`; they win. */
  readonly flags?: Readonly<Partial<Record<KubernetesComponent, readonly string[]>>>;
}

export interface Ports {
  readonly etcd: number;
  readonly etcdPeer: number;
  readonly 'kube-apiserver': number;
  readonly 'kube-controller-manager': number;
  readonly 'kube-scheduler': number;
}

export interface FlagSources {
  readonly ports: Ports;
  readonly files: ControlPlaneFiles;
  readonly etcdFolder: string;
  /** Paths of the kubeconfig of a user. */
  readonly kubeconfigs: Readonly<Record<'kube-controller-manager' | 'kube-scheduler', string>>;
  readonly tuning: ControlPlaneTuning;
}

/** The flags of every component; what each is for is said where it is not plain. */
export function componentFlags(
  component: KubernetesComponent,
  sources: FlagSources,
): readonly string[] {
  return [...ownFlags(component, sources), ...(sources.tuning.flags?.[component] ?? [])];
}

function ownFlags(component: KubernetesComponent, sources: FlagSources): readonly string[] {
  switch (component) {
    case 'etcd':
      return etcdFlags(sources);
    case 'kube-apiserver':
      return apiServerFlags(sources);
    case 'kube-controller-manager':
      return controllerManagerFlags(sources);
    case 'kube-scheduler':
      return schedulerFlags(sources);
  }
}

function etcdFlags({ ports, etcdFolder }: FlagSources): readonly string[] {
  const client = `http://127.0.0.1:${ports.etcd}`;
  const peer = `http://127.0.0.1:${ports.etcdPeer}`;
  return [
    `--data-dir=${etcdFolder}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--unsafe-no-fsync', // thrown away afterwards; it survives a kill, not a power cut
    '--log-level=warn',
  ];
}

function apiServerFlags({ ports, files, tuning }: FlagSources): readonly string[] {
  return [
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1', // else it looks for an outward interface, and there may be none
    `--secure-port=${ports['kube-apiserver']}`,
    `--tls-cert-file=${files.server.cert}`,
    `--tls-private-key-file=${files.server.key}`,
    `--client-ca-file=${files.ca}`,
    `--token-auth-file=${files.tokens}`,
    '--authorization-mode=RBAC',
    `--service-account-issuer=https://127.0.0.1:${ports['kube-apiserver']}`,
    `--service-account-key-file=${files.serviceAccount.publicKey}`,
    `--service-account-signing-key-file=${files.serviceAccount.key}`,
    // pods are processes and mount nothing; with it, each would wait for its account's token
    '--disable-admission-plugins=ServiceAccount',
    '--endpoint-reconciler-type=none', // an endpoint of loopback is refused
    '--service-cluster-ip-range=10.0.0.0/24',
    '--kubelet-preferred-address-types=InternalIP',
    `--kubelet-client-certificate=${files.kubeletClient.cert}`,
    `--kubelet-client-key=${files.kubeletClient.key}`,
    // what the aggregator of further APIs (metrics) asks for
    `--requestheader-client-ca-file=${files.frontProxyCa}`,
    '--requestheader-allowed-names=front-proxy-client',
    '--requestheader-username-headers=X-Remote-User',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    `--proxy-client-cert-file=${files.frontProxy.cert}`,
    `--proxy-client-key-file=${files.frontProxy.key}`,
    `--event-ttl=${tuning.eventTtlSeconds ?? 3600}s`,
    ...inflightFlags(tuning.maxRequestsInflight),
  ];
}

function inflightFlags(limit: number | undefined): readonly string[] {
  if (limit === undefined) return [];
  return [
    '--enable-priority-and-fairness=false',
    `--max-requests-inflight=${limit}`,
    `--max-mutating-requests-inflight=${limit}`,
  ];
}

function controllerManagerFlags(sources: FlagSources): readonly string[] {
  const { files, tuning } = sources;
  return [
    ...clientFlags('kube-controller-manager', sources),
    '--controllers=*,-node-ipam-controller', // addresses come from the node agent
    '--use-service-account-credentials=true',
    `--service-account-private-key-file=${files.serviceAccount.key}`,
    `--root-ca-file=${files.ca}`,
    '--horizontal-pod-autoscaler-sync-period=5s',
    ...(tuning.nodeMonitorGraceSeconds === undefined
      ? []
      : [
          `--node-monitor-grace-period=${tuning.nodeMonitorGraceSeconds}s`,
          '--node-monitor-period=1s',
        ]),
  ];
}

function schedulerFlags(sources: FlagSources): readonly string[] {
  return clientFlags('kube-scheduler', sources);
}

function clientFlags(
  component: 'kube-controller-manager' | 'kube-scheduler',
  { kubeconfigs, files, ports }: FlagSources,
): readonly string[] {
  const kubeconfig = kubeconfigs[component];
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
    `--secure-port=${ports[component]}`,
    `--tls-cert-file=${files.server.cert}`,
    `--tls-private-key-file=${files.server.key}`,
    '--kube-api-qps=300',
    '--kube-api-burst=600',
  ];
}
