import {
  loadStarrYaml,
  resolveSecret,
  type LoadedConfig,
  type NotifyConfig,
  type ServiceEnvironment,
} from '@starr/config';
import { readStateFiles, type StateFiles } from '@starr/doctor-host';
import type { ServerPlace } from '@starr/store';
import type { NotifyTarget } from './alerts/notifier.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** A doctor behind gRPC, and the ids that it may use. */
export interface DoctorPlace {
  readonly name: string;
  readonly address: string;
  /** Each with its dot. */
  readonly prefixes: readonly string[];
  /** What brings it back when it is away; absent: starr up. */
  readonly cure?: string;
}

const NOT_OURS = 'start it: starr up does not, since it stands under doctors in starr.yaml';

export interface OrchestratorConfig {
  readonly environment: string;
  readonly host: string;
  readonly port: number;
  readonly httpPort: number;
  readonly stateDir: string;
  readonly state: StateFiles;
  /** Absent: none is configured; sweeps go unrecorded and nothing is applied. */
  readonly storeUrl?: string;
  readonly doctors: readonly DoctorPlace[];
  /** Where the PostgreSQL targets are: the store must be none of them. */
  readonly postgresPlaces: readonly ServerPlace[];
  readonly jaeger?: LoadedConfig['targets']['jaeger'][number];
  /** A folder; absent: those that come with Starr. */
  readonly playbooks?: string;
  readonly notify: readonly NotifyTarget[];
  /** What users may feel at most while an effect counts as established. */
  readonly maxErrorRatio: number;
}

const POSTGRES_PORT = 5432;

/** This service's part of starr.yaml. */
export async function readConfig(
  environment: ServiceEnvironment,
  env: Env,
): Promise<OrchestratorConfig> {
  const config = await loadStarrYaml(environment.configPath);
  const [jaeger] = config.targets.jaeger;
  const storeUrl = await readStoreUrl(config, env);
  return {
    environment: config.environment,
    host: config.listen.host,
    port: config.listen.orchestrator,
    httpPort: config.listen.http,
    stateDir: config.stateDir,
    state: await readStateFiles(config.stateDir),
    ...(storeUrl !== undefined && { storeUrl }),
    doctors: [
      ...ownDoctors(config),
      ...config.doctors.map((doctor) => ({ ...doctor, cure: NOT_OURS })),
    ],
    postgresPlaces: config.targets.postgres.map(({ name, url }) => placeOf(name, url)),
    ...(jaeger && { jaeger }),
    ...(config.playbooks !== undefined && { playbooks: config.playbooks }),
    notify: await Promise.all(
      config.notify.map((target, index) => notifyTarget(target, `notify[${index}]`, env)),
    ),
    maxErrorRatio: config.users.maxErrorRatio,
  };
}

/** `starr up` hands its own store over in the environment; starr.yaml wins where it names one. */
async function readStoreUrl(config: LoadedConfig, env: Env): Promise<string | undefined> {
  if (config.store) return resolveSecret(config.store.url, 'store.url', env);
  return env['STARR_STORE_URL'];
}

/** Those of the five that have a target: what is not configured is not asked. */
function ownDoctors({ targets, listen }: LoadedConfig): readonly DoctorPlace[] {
  const places = [
    { name: 'db-doctor', port: listen.dbDoctor, prefix: 'db.', count: targets.postgres.length },
    {
      name: 'cache-doctor',
      port: listen.cacheDoctor,
      prefix: 'cache.',
      count: targets.redis.length,
    },
    {
      name: 'k8s-doctor',
      port: listen.k8sDoctor,
      prefix: 'k8s.',
      count: targets.kubernetes.length,
    },
    {
      name: 'resilience',
      port: listen.resilience,
      prefix: 'resilience.',
      count: targets.processes.length,
    },
  ];
  return places
    .filter(({ count }) => count > 0)
    .map(({ name, port, prefix }) => ({
      name,
      address: `${listen.host}:${port}`,
      prefixes: [prefix],
    }));
}

function placeOf(name: string, text: string): ServerPlace {
  const url = new URL(text);
  return { name, host: url.hostname, port: url.port === '' ? POSTGRES_PORT : Number(url.port) };
}

async function notifyTarget(target: NotifyConfig, field: string, env: Env): Promise<NotifyTarget> {
  switch (target.shape) {
    case 'slack':
      return { shape: 'slack', url: await resolveSecret(target.url, `${field}.url`, env) };
    case 'pagerduty':
      return {
        shape: 'pagerduty',
        url: target.url,
        routingKey: await resolveSecret(target.routingKey, `${field}.routingKey`, env),
      };
  }
}
