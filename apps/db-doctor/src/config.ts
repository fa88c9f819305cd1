import { readFile } from 'node:fs/promises';
import {
  loadStarrYaml,
  resolveSecret,
  type PostgresTargetConfig,
  type SecretReference,
  type ServiceEnvironment,
} from '@starr/config';
import { readStateFiles, type StateFiles } from '@starr/doctor-host';
import type {
  PoolerConfig,
  PostgresConfig,
  PostgresCredential,
  PostgresTls,
} from '@starr/postgres';

type Env = Readonly<Record<string, string | undefined>>;

export interface DbDoctorConfig {
  readonly host: string;
  readonly port: number;
  readonly stateDir: string;
  readonly state: StateFiles;
  readonly targets: readonly DbTarget[];
}

export interface DbTarget {
  readonly name: string;
  readonly connection: PostgresConfig;
  readonly protect: readonly string[];
  readonly errorTables: PostgresTargetConfig['errorTables'];
  readonly thresholds: PostgresTargetConfig['thresholds'];
}

/** This service's part of starr.yaml. */
export async function readConfig(
  environment: ServiceEnvironment,
  env: Env,
): Promise<DbDoctorConfig> {
  const config = await loadStarrYaml(environment.configPath);
  return {
    host: config.listen.host,
    port: config.listen.dbDoctor,
    stateDir: config.stateDir,
    state: await readStateFiles(config.stateDir),
    targets: await Promise.all(
      config.targets.postgres.map((target, index) =>
        readTarget(target, `targets.postgres[${index}]`, env),
      ),
    ),
  };
}

async function readTarget(
  target: PostgresTargetConfig,
  field: string,
  env: Env,
): Promise<DbTarget> {
  const url = new URL(target.url);
  const database = decodeURIComponent(url.pathname.slice(1));
  const connection: PostgresConfig = {
    host: url.hostname,
    ...(url.port !== '' && { port: Number(url.port) }),
    ...(database !== '' && { database }),
    ...(target.tls && { tls: await readTls(target.tls) }),
    diagnosing: credential(
      decodeURIComponent(url.username) || 'starr',
      target.password,
      `${field}.password`,
      env,
    ),
    ...(target.acting && {
      acting: credential(
        target.acting.user,
        target.acting.password,
        `${field}.acting.password`,
        env,
      ),
    }),
    ...(target.poolers.length > 0 && {
      poolers: await Promise.all(
        target.poolers.map((pooler, index) =>
          readPooler(pooler, `${field}.poolers[${index}]`, env),
        ),
      ),
    }),
  };
  const { name, protect, errorTables, thresholds } = target;
  return { name, connection, protect, errorTables, thresholds };
}

async function readPooler(
  { name, url: text, password, tls, acting }: PostgresTargetConfig['poolers'][number],
  field: string,
  env: Env,
): Promise<PoolerConfig> {
  const url = new URL(text);
  const user = decodeURIComponent(url.username) || 'starr';
  return {
    name,
    host: url.hostname,
    ...(url.port !== '' && { port: Number(url.port) }),
    ...(tls && { tls: await readTls(tls) }),
    diagnosing: credential(user, password, `${field}.password`, env),
    ...(acting && {
      acting: credential(acting.user, acting.password, `${field}.acting.password`, env),
    }),
  };
}

/** Asked for at each connect, since tokens expire. */
function credential(
  user: string,
  reference: SecretReference | undefined,
  field: string,
  env: Env,
): PostgresCredential {
  return reference === undefined
    ? { user }
    : { user, password: () => resolveSecret(reference, field, env) };
}

async function readTls({
  caFile,
  serverName,
}: NonNullable<PostgresTargetConfig['tls']>): Promise<PostgresTls> {
  return {
    ...(caFile !== undefined && { ca: await readFile(caFile, 'utf8') }),
    ...(serverName !== undefined && { serverName }),
  };
}
