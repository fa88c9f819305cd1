import type { Probed } from '@starr/kernel';
import type { RedisAct, SetEvictionPolicy } from '../request.ts';
import { connectionName, standingFrom } from './apply.ts';
import type { RedisConnection } from './connect.ts';
import type { Deadline } from './deadline.ts';
import { one } from './one.ts';

/** Whether an act took place, told from the server. Never repeats it. */
export async function probe(
  act: RedisAct,
  operationId: string,
  connection: RedisConnection,
  deadline: Deadline,
): Promise<Probed> {
  switch (act.kind) {
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- one kind so far; a second one must not compile without its case
    case 'set-eviction-policy':
      return probeEvictionPolicy(act, operationId, connection, deadline);
  }
}

async function probeEvictionPolicy(
  { policy, guard }: SetEvictionPolicy,
  operationId: string,
  connection: RedisConnection,
  deadline: Deadline,
): Promise<Probed> {
  const fenced = await fence(operationId, connection, deadline);
  const now = standingFrom(await one(connection, ['INFO'], deadline));
  if (now.runId !== guard.runId)
    return {
      state: 'indeterminate',
      says: `the server restarted since, which forgets what was set; maxmemory-policy is ${now.policy} now`,
    };
  if (now.policy === policy)
    return { state: 'applied', before: { policy: guard.policy }, after: { policy } };
  if (now.policy !== guard.policy)
    return {
      state: 'indeterminate',
      says: `maxmemory-policy is ${now.policy}: neither the old ${guard.policy} nor the new ${policy}`,
    };
  if (!fenced)
    return {
      state: 'indeterminate',
      says:
        `maxmemory-policy is still ${policy === now.policy ? policy : guard.policy}, but a late command could yet arrive: ` +
        `user ${connection.user} may not look for it (ACL SETUSER ${connection.user} +client|setname +client|list +client|kill)`,
    };
  return { state: 'not-applied', says: `maxmemory-policy is still ${guard.policy}` };
}

/**
 * Ends the connection that the act came over, if it still stands: its commands may wait in the server's socket, and
 * would be carried out after we said that they were not. The server does one thing at a time, so after CLIENT KILL
 * none of them can be. False when we may not look.
 */
async function fence(
  operationId: string,
  connection: RedisConnection,
  deadline: Deadline,
): Promise<boolean> {
  const [named, list] = await connection.send(
    [
      ['CLIENT', 'SETNAME', 'starr-probe'],
      ['CLIENT', 'LIST'],
    ],
    deadline,
  );
  // Who may not name a connection did not name that of the act either, and it could not be found.
  if (named?.ok !== true || list?.ok !== true) return false;
  const ids = connectionIdsNamed(connectionName(operationId), String(list.reply));
  if (ids.length === 0) return true;
  const answers = await connection.send(
    ids.map((id) => ['CLIENT', 'KILL', 'ID', id]),
    deadline,
  );
  return answers.every(({ ok }) => ok);
}

function connectionIdsNamed(name: string, list: string): readonly string[] {
  return list
    .split(/\r?\n/)
    .filter((line) => line.split(' ').includes(`name=${name}`))
    .flatMap((line) => /^id=(\d+)/.exec(line)?.[1] ?? []);
}
