import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { STAGE_ROLES, startClusterStage, type ClusterStage } from '@starr/lab';
import type { GuideAddresses } from './guide-commands.ts';

/** A role of its own for the script, so that PostgreSQL can tell who asked. */
export const PERSON = 'person';
export const LEAKING_TAG = '1.8.2';
/** The leak is loud and stays below the slots: a full server would refuse the script, and refusing is quick. */
const MAX_CONNECTIONS = 200;
const POOL_MAX = 40;

export async function startBenchStage(
  withJaeger: boolean,
  say: (says: string) => void,
): Promise<ClusterStage> {
  const stage = await startClusterStage({
    environment: 'bench',
    faulty: { [`shop/checkout:${LEAKING_TAG}`]: 'leak-connections:6' },
    maxConnections: MAX_CONNECTIONS,
    poolMax: POOL_MAX,
    jaeger: withJaeger,
    onStep: (says) => {
      say(`starting ${says}`);
    },
  });
  await stage.postgres.query(`CREATE ROLE ${PERSON} LOGIN; GRANT pg_monitor TO ${PERSON}`);
  return stage;
}

/** What the person knows: the same patients, with no more rights than the services have. */
export async function addressesOf(stage: ClusterStage): Promise<GuideAddresses> {
  const { postgres, redis, kubernetes, shop, backstage, jaeger } = stage;
  return {
    postgres: { host: postgres.host, port: postgres.port, user: PERSON, database: 'orders' },
    redis: {
      host: redis.host,
      port: redis.port,
      user: STAGE_ROLES.diagnosing,
      password: await readFile(join(backstage.folder, 'redis.password'), 'utf8'),
    },
    kubeconfig: await kubernetes.kubeconfigFor('diagnoser', shop.namespace),
    kubeCacheFolder: join(backstage.folder, 'kube-cache'),
    namespace: shop.namespace,
    deployments: ['checkout', 'worker'],
    dependencyUrl: `${shop.payments.url}/healthz`,
    jaegerUrl: jaeger?.queryUrl,
  };
}
