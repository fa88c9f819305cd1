import type { Relation } from '@starr/kernel';
import {
  addressEntity,
  applicationEntity,
  backendEntity,
  clientEntity,
  serverEntity,
  tableEntity,
} from './entities.ts';
import { lockForestFrom, type LockNode } from './lock-forest.ts';
import type { LockParty, LockWaits } from './lock-party.ts';

/** Who is whose, and who waits for whom: each behind the one under whom it is drawn, since a queue has too many pairs. */
export function relationsOfLocks(waits: LockWaits, target: string): readonly Relation[] {
  const { nodes } = lockForestFrom(waits);
  const byKey = new Map(nodes.map((node) => [node.key, node]));
  return nodes.flatMap((node) => [
    ...(node.party === undefined ? [] : relationsOfParty(node.party, target)),
    ...relationsOfWait(node, byKey.get(node.parent ?? ''), target),
  ]);
}

function relationsOfParty(party: LockParty, target: string): Relation[] {
  if (party.type !== 'client backend') return [];
  const { application, address } = party;
  const backend = backendEntity(target, party.pid, party.backendStart);
  const client = clientEntity(target, application, address);
  return [
    { from: backend, is: 'of', to: client },
    { from: client, is: 'of', to: applicationEntity(target, application) },
    { from: applicationEntity(target, application), is: 'uses', to: serverEntity(target) },
    ...(address === undefined
      ? []
      : [{ from: client, is: 'connects-from', to: addressEntity(address) }]),
  ];
}

function relationsOfWait(
  { party }: LockNode,
  parent: LockNode | undefined,
  target: string,
): Relation[] {
  if (party?.waits === undefined) return [];
  const backend = backendEntity(target, party.pid, party.backendStart);
  const { table } = party.waits;
  return [
    ...(table === undefined
      ? []
      : [{ from: backend, is: 'waits-for', to: tableEntity(target, table.schema, table.name) }]),
    ...(parent?.party === undefined
      ? []
      : [
          {
            from: backend,
            is: 'waits-for',
            to: backendEntity(target, parent.party.pid, parent.party.backendStart),
          },
        ]),
  ];
}
