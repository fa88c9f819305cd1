import { loadSealKey, serveDoctor, type HostedTarget, type Serving } from '@starr/doctor-host';
import {
  createKubernetesAdapter,
  kubernetesCatalog,
  type KubernetesAct,
  type KubernetesRequest,
} from '@starr/kubernetes';
import type { K8sDoctorConfig, K8sTarget } from './config.ts';

/** The only place of this service that builds adapters. */
export async function compose(config: K8sDoctorConfig): Promise<Serving> {
  return serveDoctor({
    name: 'k8s-doctor',
    catalog: kubernetesCatalog,
    targets: config.targets.map(hosted),
    host: config.host,
    port: config.port,
    credentials: [{ token: config.state.token, role: 'admin' }],
    sealKey: await loadSealKey(`${config.stateDir}/k8s-doctor`),
    grantPublicKeyPem: config.state.grantPublicKeyPem,
  });
}

function hosted({
  name,
  connection,
  context,
  thresholds,
}: K8sTarget): HostedTarget<KubernetesRequest, KubernetesAct> {
  return {
    name,
    kind: 'kubernetes',
    adapter: createKubernetesAdapter(connection),
    acts: connection.acting !== undefined,
    options: { namespaces: connection.namespaces, ...(context !== undefined && { context }) },
    ...(thresholds && { thresholds }),
  };
}
