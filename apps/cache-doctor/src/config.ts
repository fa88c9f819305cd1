import { readFile } from 'node:fs/promises';
import {
  loadStarrYaml,
  resolveSecret,
  type RedisTargetConfig,
  type SecretReference,
  type ServiceEnvironment,
} from '@starr/config';
import { readStateFiles, type StateFiles } from '@starr/doctor-host';
import { DoctorError } from '@starr/kernel';
import type { RedisConfig, RedisSecret, RedisTls } from '@starr/redis';

type Env = Readonly<Record<string, string | undefined>>;

export interface CacheDoctorConfig {
  readonly host: string;
  readonly port: number;
  readonly stateDir: string;
  readonly state: StateFiles;
  readonly targets: readonly CacheTarget[];
}

export interface CacheTarget {
  readonly name: string;
  readonly connection: RedisConfig;
  readonly thresholds: RedisTargetConfig['thresholds'];
}

/** This service's part of starr.yaml. */
export async function readConfig(
  environment: ServiceEnvironment,
  env: Env,
): Promise<CacheDoctorConfig> {
  const config = await loadStarrYaml(environment.configPath);
  return {
    host: config.listen.host,
    port: config.listen.cacheDoctor,
    stateDir: config.stateDir,
    state: await readStateFiles(config.stateDir),
    targets: await Promise.all(
      config.targets.redis.map((target, index) =>
        readTarget(target, `targets.redis[${index}]`, env),
      ),
    ),
  };
}

async function readTarget(
  target: RedisTargetConfig,
  field: string,
  env: Env,
): Promise<CacheTarget> {
  const { acting } = target;
  const connection: RedisConfig = {
    url: target.url,
    ...(target.password && { password: secret(target.password, `${field}.password`, env) }),
    ...(target.tls && { tls: await readTls(target.tls, `${field}.tls.caFile`) }),
    ...(acting && {
      acting: {
        user: acting.user,
        ...(acting.password && {
          password: secret(acting.password, `${field}.acting.password`, env),
        }),
      },
    }),
  };
  return { name: target.name, connection, thresholds: target.thresholds };
}

/** Asked for at each connect, since tokens expire. */
function secret(reference: SecretReference, field: string, env: Env): RedisSecret {
  return () => resolveSecret(reference, field, env);
}

async function readTls(
  { caFile, serverName }: NonNullable<RedisTargetConfig['tls']>,
  field: string,
): Promise<RedisTls> {
  return {
    ...(caFile !== undefined && { ca: await readPem(caFile, field) }),
    ...(serverName !== undefined && { serverName }),
  };
}

async function readPem(path: string, field: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new DoctorError('CONFIG_UNREADABLE', {
      message: `${field}: ${path} cannot be read`,
      cause,
      details: { field, received: path },
    });
  }
}
