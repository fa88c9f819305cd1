import type { BlindSpot } from '@starr/kernel';
import { callUnary } from './call.ts';
import type { DoctorClientOptions } from './doctor-client.ts';
import { DbServiceClient } from './gen/starr/db/v1/db.ts';
import { lockForestFromProto } from './lock-forest.mapping.ts';
import type { LockForestView } from './lock-forest.ts';

/** What db-doctor shows beyond the verdicts of its checks. Fails with DoctorError. Owns its channel; `close` ends it. */
export interface DbClient {
  /** Fails with TARGET_UNKNOWN. A server that cannot be looked at is a blind spot. */
  lockForest(target: string, signal: AbortSignal): Promise<LockForestView | BlindSpot>;
  close(): void;
}

export function createDbClient(
  options: Pick<DoctorClientOptions, 'address' | 'credentials' | 'interceptors' | 'timeoutMs'>,
): DbClient {
  const client = new DbServiceClient(options.address, options.credentials, {
    interceptors: [...(options.interceptors ?? [])],
  });
  const timeoutMs = options.timeoutMs ?? 5000;
  return {
    lockForest: async (target, signal) =>
      lockForestFromProto(
        await callUnary(client.getLockForest.bind(client), { target }, { timeoutMs, signal }),
      ),
    close: () => {
      client.close();
    },
  };
}
