import type { Relation } from '@starr/kernel';
import {
  addressEntity,
  applicationEntity,
  backendEntity,
  clientEntity,
  poolerPoolEntity,
  serverEntity,
} from '../entities.ts';
import type { PooledClient, PooledSession, PooledSessions } from './pooled-sessions.ts';

/** Which client a backend serves, and what that client hangs together with, ill or not: once for all that it holds. */
export function relationsOfPooled(
  { sessions, waiting }: PooledSessions,
  target: string,
): readonly Relation[] {
  const holds = sessions.flatMap(({ client, pid, backendStart }): Relation[] =>
    client === undefined
      ? []
      : [
          {
            from: backendEntity(target, pid, backendStart),
            is: 'serves',
            to: clientEntity(target, client.application, client.address),
          },
        ],
  );
  const uses = new Map<string, ClientOfPool>();
  for (const { client, pooler, database, user } of sessions)
    if (client !== undefined) remember(uses, { ...client, pooler, database, user });
  for (const client of waiting) remember(uses, client);
  return [...holds, ...[...uses.values()].flatMap((each) => clientRelations(each, target))];
}

interface ClientOfPool
  extends
    Pick<PooledClient, 'application' | 'address'>,
    Pick<PooledSession, 'pooler' | 'database' | 'user'> {}

function remember(uses: Map<string, ClientOfPool>, client: ClientOfPool): void {
  const { application, address = '', pooler, database, user } = client;
  uses.set([application, address, pooler, database, user].join('\n'), client);
}

function clientRelations(
  { application, address, pooler, database, user }: ClientOfPool,
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
