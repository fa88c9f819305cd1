import { loadSealKey, serveDoctor, type Serving } from '@starr/doctor-host';
import { createPostgresAdapter, postgresCatalog } from '@starr/postgres';
import { createLog } from '@starr/telemetry';
import type { DbDoctorConfig, DbTarget } from './config.ts';
import { dbService } from './services/db-service.ts';

/** The only place of this service that builds adapters. */
export async function compose(config: DbDoctorConfig): Promise<Serving> {
  const log = createLog('db-doctor');
  const targets = config.targets.map(hosted);
  return serveDoctor({
    name: 'db-doctor',
    catalog: postgresCatalog,
    targets,
    host: config.host,
    port: config.port,
    credentials: [{ token: config.state.token, role: 'admin' }],
    sealKey: await loadSealKey(`${config.stateDir}/db-doctor`),
    grantPublicKeyPem: config.state.grantPublicKeyPem,
    services: [dbService(new Map(targets.map(({ name, adapter }) => [name, adapter])), log)],
    log,
  });
}

function hosted({ name, connection, protect, errorTables, thresholds }: DbTarget) {
  return {
    name,
    kind: 'postgres',
    adapter: createPostgresAdapter(connection),
    acts: [connection, ...(connection.poolers ?? [])].some(({ acting }) => acting !== undefined),
    options: {
      protect,
      errorTables: errorTables.map(withoutAbsent),
      ...(connection.acting && { acting: connection.acting.user }),
    },
    ...(thresholds && { thresholds }),
  };
}

/** Options are JSON: an absent key is none. */
function withoutAbsent({
  table,
  time,
  message,
  trace,
}: DbTarget['errorTables'][number]): Record<string, string> {
  return { table, time, message, ...(trace !== undefined && { trace }) };
}
