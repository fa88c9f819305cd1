import type { Entity, Row } from '@starr/kernel';
import { addressEntity, clientEntity } from '../entities.ts';
import type { PooledSession, PooledSessions } from '../reads/pooled-sessions.ts';

const SHOWN = 10;

/** One client with what it holds of a pool. */
export interface Holder {
  readonly row: Row;
  readonly entitiesIn: (target: string) => readonly Entity[];
}

/** Which clients hold the connections of a pool, those with the most first. */
export function holdersOf(
  { sessions }: PooledSessions,
  pooler: string,
  { database, user }: { readonly database: string; readonly user: string },
): readonly Holder[] {
  const linked = sessions.filter(
    (each) =>
      each.pooler === pooler &&
      each.database === database &&
      each.user === user &&
      each.client !== undefined,
  );
  const groups = Map.groupBy(linked, ({ client }) =>
    JSON.stringify([client?.application, client?.address]),
  );
  return [...groups]
    .toSorted(([a, { length: left }], [b, { length: right }]) => right - left || (a < b ? -1 : 1))
    .slice(0, SHOWN)
    .map(([, held]) => holderFrom(held));
}

function holderFrom(sessions: readonly PooledSession[]): Holder {
  const client = sessions[0]?.client;
  const { application = '', address } = client ?? {};
  const idle = sessions.filter(({ state }) => state !== 'active');
  return {
    row: {
      application,
      ...(address !== undefined && { address }),
      holds: sessions.length,
      active: sessions.length - idle.length,
      idle: idle.length,
      longestIdle: { durationMs: Math.max(0, ...idle.map(({ stateMs }) => stateMs)) },
    },
    entitiesIn: (target) => [
      clientEntity(target, application, address),
      ...(address === undefined ? [] : [addressEntity(address)]),
    ],
  };
}
