import { blindSpot, type Read, type Relation } from '@starr/kernel';
import { databaseEntity, roleEntity, serverEntity } from '../entities.ts';
import type { PostgresRequest, Refusal } from '../postgres-request.ts';

/** The connects of our own that were refused, newest last. Costs the server nothing. */
export const refusalsRead: Read<readonly Refusal[], PostgresRequest> = {
  id: 'postgres.refusals',
  timeoutMs: 100,
  maxRows: 100,
  request: () => ({ kind: 'refusals' }),
  parse: (raw) =>
    Array.isArray(raw)
      ? (raw as readonly Refusal[])
      : blindSpot('unsupported', 'postgres.refusals: the adapter keeps no list of refusals'),
  // Whose limit it is, is known even where the server lets nobody in.
  relate: (refusals, { target }) =>
    refusals.flatMap(({ by, role, database, isStanding }): Relation[] => {
      if (!isStanding) return [];
      const to = serverEntity(target);
      if (by === 'role-limit') return [{ from: roleEntity(target, role), is: 'of', to }];
      if (by === 'database-limit')
        return [{ from: databaseEntity(target, database), is: 'of', to }];
      return [];
    }),
};
