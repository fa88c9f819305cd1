import { stringify } from 'yaml';

/** What `starr.yaml` of a stage says; everything else has its defaults. */
export interface StageYaml {
  readonly environment: string;
  readonly stateDir: string;
  readonly ports: Readonly<Record<StagePort, number>>;
  readonly otlpUrl?: string;
  readonly postgres?: {
    readonly name: string;
    readonly url: string;
    readonly actingUser?: string;
    readonly poolers?: readonly PoolerYaml[];
    /** Diagnostic → threshold → value, as its owner would have set it. */
    readonly thresholds?: StageThresholds;
  };
  readonly redis?: {
    readonly name: string;
    readonly url: string;
    readonly passwordFile?: string;
    readonly actingUser?: string;
  };
  readonly kubernetes?: {
    readonly name: string;
    readonly kubeconfig: string;
    readonly actingKubeconfig: string;
    readonly namespaces: readonly string[];
  };
  readonly processes?: {
    readonly expect: Readonly<Record<string, number>>;
    readonly dependencies: readonly { readonly name: string; readonly url: string }[];
  };
  readonly jaegerUrl?: string;
  /** Sections as they stand in starr.yaml, for what a test needs beside all this. */
  readonly more?: Readonly<Record<string, unknown>>;
}

export type StageThresholds = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** A PgBouncer before the server. */
export interface PoolerYaml {
  readonly name: string;
  /** Of its console. */
  readonly url: string;
  readonly actingUser?: string;
}

export const STAGE_PORTS = [
  'orchestrator',
  'http',
  'dbDoctor',
  'cacheDoctor',
  'k8sDoctor',
  'resilience',
] as const;
export type StagePort = (typeof STAGE_PORTS)[number];

export function stageYamlText(stage: StageYaml): string {
  const { postgres, redis, kubernetes, processes } = stage;
  return stringify({
    environment: stage.environment,
    stateDir: stage.stateDir,
    listen: stage.ports,
    ...(stage.otlpUrl !== undefined && { telemetry: { otlpUrl: stage.otlpUrl } }),
    targets: {
      ...(postgres && {
        postgres: [
          {
            name: postgres.name,
            url: postgres.url,
            ...acting(postgres.actingUser),
            ...(postgres.thresholds && { thresholds: postgres.thresholds }),
            ...(postgres.poolers && {
              poolers: postgres.poolers.map(({ actingUser, ...pooler }) => ({
                ...pooler,
                ...acting(actingUser),
              })),
            }),
          },
        ],
      }),
      ...(redis && {
        redis: [
          {
            name: redis.name,
            url: redis.url,
            ...(redis.passwordFile !== undefined && { password: { file: redis.passwordFile } }),
            ...(redis.actingUser !== undefined && {
              acting: {
                user: redis.actingUser,
                ...(redis.passwordFile !== undefined && { password: { file: redis.passwordFile } }),
              },
            }),
          },
        ],
      }),
      ...(kubernetes && {
        kubernetes: [
          {
            name: kubernetes.name,
            kubeconfig: kubernetes.kubeconfig,
            namespaces: kubernetes.namespaces,
            acting: { kubeconfig: kubernetes.actingKubeconfig },
          },
        ],
      }),
      ...(processes && { processes: [{ name: 'processes', ...processes }] }),
      ...(stage.jaegerUrl !== undefined && { jaeger: [{ name: 'jaeger', url: stage.jaegerUrl }] }),
    },
    ...stage.more,
  });
}

function acting(user: string | undefined): object {
  return user === undefined ? {} : { acting: { user } };
}
