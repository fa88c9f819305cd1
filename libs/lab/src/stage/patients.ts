import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startPgBouncer, type LabPgBouncer, type PgBouncerOptions } from '../pgbouncer.ts';
import { startPostgres, type LabPostgres } from '../postgres.ts';
import { startRedis, type LabRedis } from '../redis.ts';

/** Who looks and who acts, on every patient of a stage. */
export const STAGE_ROLES = { diagnosing: 'starr', acting: 'starr_actor' } as const;

/** What the Redis of a stage withholds from the diagnosing user on purpose; the cure is one ACL line. */
export type Withheld = 'redis-info' | 'nothing';

const REDIS_PASSWORD = 'stage-only';
const REDIS_DIAGNOSING =
  '+ping +info +time +client|list +client|setname +client|id +acl|whoami +hello +select +slowlog|get +latency|latest +multi +exec +discard';

/** A PostgreSQL that keeps statistics of statements, with a role that only looks (pg_monitor) and one that may signal. */
export async function startStagePostgres(maxConnections: number): Promise<LabPostgres> {
  const postgres = await startPostgres({ maxConnections, statStatements: true });
  await postgres.query(
    `CREATE ROLE ${STAGE_ROLES.diagnosing} LOGIN; GRANT pg_monitor TO ${STAGE_ROLES.diagnosing};
     CREATE ROLE ${STAGE_ROLES.acting} LOGIN; GRANT pg_monitor, pg_signal_backend TO ${STAGE_ROLES.acting};`,
  );
  // Whatever database the shop makes shows how far its sequences have come.
  await postgres.query(
    `ALTER DEFAULT PRIVILEGES GRANT SELECT ON SEQUENCES TO ${STAGE_ROLES.diagnosing}`,
    undefined,
    { database: 'template1' },
  );
  return postgres;
}

/** How the shop comes to the database where it does so through a pooler. */
export interface StagePooler {
  readonly poolMode: NonNullable<PgBouncerOptions['poolMode']>;
  /** Connections to the server that checkout may hold, and the worker too. */
  readonly poolSize: number;
}

/** A PgBouncer through which the shop reaches its database, and nobody else does. */
export function startStagePooler(
  postgres: LabPostgres,
  { poolMode, poolSize }: StagePooler,
): Promise<LabPgBouncer> {
  return startPgBouncer({
    postgres,
    poolMode,
    users: ['checkout', 'worker'],
    settings: { default_pool_size: String(poolSize), max_client_conn: '500' },
  });
}

export interface StageRedis {
  readonly redis: LabRedis;
  readonly url: string;
  readonly passwordFile: string;
}

/** A Redis as a cache without a policy, with one ACL user that looks and one that may set the policy. */
export async function startStageRedis(folder: string, withheld: Withheld): Promise<StageRedis> {
  const looks =
    withheld === 'redis-info' ? REDIS_DIAGNOSING.replace('+info ', '') : REDIS_DIAGNOSING;
  const redis = await startRedis({
    settings: { maxmemory: '32mb', 'maxmemory-policy': 'noeviction' },
    aclUsers: [
      `${STAGE_ROLES.diagnosing} on >${REDIS_PASSWORD} ~* &* ${looks}`,
      `${STAGE_ROLES.acting} on >${REDIS_PASSWORD} ~* &* ${REDIS_DIAGNOSING} +config|get +config|set`,
    ],
  });
  const passwordFile = join(folder, 'redis.password');
  await writeFile(passwordFile, REDIS_PASSWORD, { mode: 0o600 });
  return {
    redis,
    url: `redis://${STAGE_ROLES.diagnosing}@${redis.host}:${redis.port}`,
    passwordFile,
  };
}
