import { unary, type ServedService } from '@starr/doctor-host';
import { DoctorError, isBlindSpot, type Adapter, type BlindSpot } from '@starr/kernel';
import { seeLockForest, type PostgresAct, type PostgresRequest } from '@starr/postgres';
import type { Log } from '@starr/telemetry';
import {
  DbServiceService,
  lockForestToProto,
  type DbServiceServer,
  type LockForestView,
} from '@starr/wire';
import { lockNodeView } from './lock-node-view.ts';

const PATH = '/starr.db.v1.DbService';

/** Target name → its way to it, the same that the checks use: one held session a target. */
export type Adapters = ReadonlyMap<string, Adapter<PostgresRequest, PostgresAct>>;

/** What a PostgreSQL server shows beyond the verdicts of its checks, as a gRPC service. */
export function dbService(adapters: Adapters, log: Log): ServedService {
  const implementation: DbServiceServer = {
    getLockForest: unary(log, async ({ target }, { signal }) =>
      lockForestToProto(await lockForest(adapters, target, signal)),
    ),
  };
  return {
    name: 'starr.db.v1.DbService',
    definition: DbServiceService,
    implementation,
    roles: { [`${PATH}/GetLockForest`]: 'viewer' },
  };
}

async function lockForest(
  adapters: Adapters,
  target: string,
  signal: AbortSignal,
): Promise<LockForestView | BlindSpot> {
  const adapter = adapters.get(target);
  if (adapter === undefined) throw unknownTarget(target, adapters);
  const seen = await seeLockForest(adapter, target, signal);
  if (isBlindSpot(seen)) return seen;
  const { nodes, truncated } = seen.forest;
  return { seenAt: seen.seenAt, nodes: nodes.map(lockNodeView), truncated };
}

function unknownTarget(target: string, adapters: Adapters): DoctorError {
  const received = target.slice(0, 200);
  const allowed = [...adapters.keys()].join(', ') || 'none is configured';
  return new DoctorError('TARGET_UNKNOWN', {
    message: `target is ${JSON.stringify(received)}; allowed: ${allowed}`,
    details: { field: 'target', received, allowed },
  });
}
