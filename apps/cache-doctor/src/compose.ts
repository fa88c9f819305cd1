import { loadSealKey, serveDoctor, type Serving } from '@starr/doctor-host';
import { createRedisAdapter, redisCatalog } from '@starr/redis';
import type { CacheDoctorConfig, CacheTarget } from './config.ts';

/** The only place of this service that builds adapters. */
export async function compose(config: CacheDoctorConfig): Promise<Serving> {
  return serveDoctor({
    name: 'cache-doctor',
    catalog: redisCatalog,
    targets: config.targets.map(hosted),
    host: config.host,
    port: config.port,
    credentials: [{ token: config.state.token, role: 'admin' }],
    sealKey: await loadSealKey(`${config.stateDir}/cache-doctor`),
    grantPublicKeyPem: config.state.grantPublicKeyPem,
  });
}

function hosted({ name, connection, thresholds }: CacheTarget) {
  return {
    name,
    kind: 'redis',
    adapter: createRedisAdapter(connection),
    acts: connection.acting !== undefined,
    ...(thresholds && { thresholds }),
  };
}
