import { loadStarrYaml, type KubernetesTargetConfig, type ServiceEnvironment } from '@starr/config';
import { readStateFiles, type StateFiles } from '@starr/doctor-host';
import type { KubernetesAccess, KubernetesConfig } from '@starr/kubernetes';

export interface K8sDoctorConfig {
  readonly host: string;
  readonly port: number;
  readonly stateDir: string;
  readonly state: StateFiles;
  readonly targets: readonly K8sTarget[];
}

export interface K8sTarget {
  readonly name: string;
  readonly connection: KubernetesConfig;
  /** What kubectl would be told; printed with commands by hand. */
  readonly context: string | undefined;
  readonly thresholds: KubernetesTargetConfig['thresholds'];
}

/** This service's part of starr.yaml. */
export async function readConfig(environment: ServiceEnvironment): Promise<K8sDoctorConfig> {
  const config = await loadStarrYaml(environment.configPath);
  return {
    host: config.listen.host,
    port: config.listen.k8sDoctor,
    stateDir: config.stateDir,
    state: await readStateFiles(config.stateDir),
    targets: config.targets.kubernetes.map(readTarget),
  };
}

function readTarget(target: KubernetesTargetConfig): K8sTarget {
  const connection: KubernetesConfig = {
    diagnosing: accessOf(target),
    ...(target.acting && { acting: accessOf(target.acting) }),
    namespaces: target.namespaces,
  };
  return { name: target.name, connection, context: target.context, thresholds: target.thresholds };
}

function accessOf({
  kubeconfig,
  context,
}: {
  kubeconfig?: string | undefined;
  context?: string | undefined;
}): KubernetesAccess {
  return {
    kind: 'kubeconfig',
    ...(kubeconfig !== undefined && { path: kubeconfig }),
    ...(context !== undefined && { context }),
  };
}
