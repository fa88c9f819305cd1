import { entityKey, type Relation } from '@starr/kernel';
import {
  addressEntity,
  applicationEntity,
  backendEntity,
  clientEntity,
  poolerPoolEntity,
  serverEntity,
} from '../entities.ts';
import type { PooledClient, PooledSession, PooledSessions } from './pooled-sessions.ts';

/** Which client a backend serves, and what that client hangs together with, ill or not. */
export function relationsOfPooled(
  { sessions, waiting }: PooledSessions,
  target: string,
): readonly Relation[] {
  return once([
    ...sessions.flatMap((session) => relationsOf(session, target)),
    ...waiting.flatMap((client) => clientRelations(client, client, target)),
  ]);
}

function relationsOf(session: PooledSession, target: string): Relation[] {
  const { client, pid, backendStart } = session;
  if (client === undefined) return [];
  return [
    {
      from: backendEntity(target, pid, backendStart),
      is: 'serves',
      to: clientEntity(target, client.application, client.address),
    },
    ...clientRelations(client, session, target),
  ];
}

function clientRelations(
  { application, address }: Pick<PooledClient, 'application' | 'address'>,
  { pooler, database, user }: Pick<PooledSession, 'pooler' | 'database' | 'user'>,
  target: string,
): Relation[] {
  const client = clientEntity(target, application, address);
  return [
    { from: client, is: 'of', to: applicationEntity(target, application) },
    { from: applicationEntity(target, application), is: 'uses', to: serverEntity(target) },
    { from: client, is: 'uses', to: poolerPoolEntity(target, pooler, database, user) },
    ...(address === undefined
      ? []
      : [{ from: client, is: 'connects-from', to: addressEntity(address) }]),
  ];
}

/** A client with forty sessions comes from its address once. */
function once(relations: readonly Relation[]): Relation[] {
  const keyOf = ({ from, is, to }: Relation) => `${entityKey(from)}\n${is}\n${entityKey(to)}`;
  return [...new Map(relations.map((relation) => [keyOf(relation), relation])).values()];
}
