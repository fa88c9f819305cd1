import {
  loadStarrYaml,
  type LoadedConfig,
  type PostgresTargetConfig,
  type ProcessesTargetConfig,
  type ServiceEnvironment,
} from '@starr/config';
import { readStateFiles, type StateFiles } from '@starr/doctor-host';
import type { ProcessesOptions } from '@starr/resilience';

export interface ResilienceConfig {
  readonly host: string;
  readonly port: number;
  readonly stateDir: string;
  readonly state: StateFiles;
  /** None: processes may attach, but nobody asks for them. */
  readonly targets: readonly ProcessesTarget[];
}

export interface ProcessesTarget {
  readonly name: string;
  readonly options: ProcessesOptions;
  readonly thresholds: ProcessesTargetConfig['thresholds'];
}

/** This service's part of starr.yaml, and of the other targets what tells where processes and pools belong. */
export async function readConfig(environment: ServiceEnvironment): Promise<ResilienceConfig> {
  const config = await loadStarrYaml(environment.configPath);
  return {
    host: config.listen.host,
    port: config.listen.resilience,
    stateDir: config.stateDir,
    state: await readStateFiles(config.stateDir),
    targets: config.targets.processes.map((target) => readTarget(target, config.targets)),
  };
}

function readTarget(
  { name, expect, dependencies, thresholds }: ProcessesTargetConfig,
  { kubernetes, postgres }: LoadedConfig['targets'],
): ProcessesTarget {
  const clusters = kubernetes.map((cluster) => ({
    target: cluster.name,
    namespaces: cluster.namespaces,
  }));
  const databases = Object.fromEntries(postgres.map((target) => [serverOf(target), target.name]));
  return { name, options: { expect, dependencies, clusters, databases }, thresholds };
}

const postgresPort = 5432;

/** host:port as a pool names its server. */
function serverOf({ url }: PostgresTargetConfig): string {
  const { hostname, port } = new URL(url);
  return `${hostname}:${port === '' ? postgresPort : port}`;
}
