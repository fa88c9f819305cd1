import {
  blindSpot,
  maskText,
  type BlindSpot,
  type Look,
  type Read,
  type Relation,
  type Resolver,
} from '@starr/kernel';
import { addressEntity, clientEntity, redisEntity } from '../redis-entities.ts';
import type { RedisRequest } from '../request.ts';

/** The connections that share a name and an address. */
export interface RedisClients {
  /** What the client calls itself: CLIENT SETNAME, else its ACL user, else its library. */
  readonly name: string;
  /** Without port; `unix` for a socket file. */
  readonly address: string;
  readonly connections: number;
  /** Of the connection that has been idle for the shortest time. */
  readonly idleMs: number;
  /** Replies that wait for these clients to read them. */
  readonly outputBytes: number;
}

/** Who is connected, without the connection that asks. One CLIENT LIST, not sent when there are more than maxRows. */
export const clientsRead: Read<readonly RedisClients[], RedisRequest> = {
  id: 'redis.clients',
  timeoutMs: 2000,
  maxRows: 2000,
  request: () => ({ kind: 'clients' }),
  parse: (raw) => clientsFromRaw(raw),
  relate: relationsOfClients,
};

/** Which addresses use this server: the path from a cache to its pods. */
export const clientsResolver: Resolver<RedisRequest> = {
  kinds: ['redis', 'client', 'address'],
  read: clientsRead,
};

export function clientsFromRaw(raw: unknown): readonly RedisClients[] | BlindSpot {
  if (typeof raw !== 'string') return blindSpot('unsupported', 'CLIENT LIST answered without text');
  const groups = new Map<string, RedisClients>();
  for (const line of raw.split(/\r?\n/)) {
    const client = clientFromLine(line);
    if (client === undefined) continue;
    const key = `${client.name}@${client.address}`;
    const known = groups.get(key);
    groups.set(key, known === undefined ? client : together(known, client));
  }
  return [...groups.values()].sort((a, b) => b.connections - a.connections);
}

function clientFromLine(line: string): RedisClients | undefined {
  const fields = new Map(
    line.split(' ').map((field): [string, string] => {
      const equals = field.indexOf('=');
      return equals < 0 ? [field, ''] : [field.slice(0, equals), field.slice(equals + 1)];
    }),
  );
  const address = fields.get('addr');
  // The one that runs CLIENT LIST is the doctor itself.
  if (address === undefined || /^client(\|list)?$/.test(fields.get('cmd') ?? '')) return undefined;
  const user = fields.get('user');
  return {
    name: maskText(
      firstNamed(
        fields.get('name'),
        user === 'default' ? undefined : user,
        fields.get('lib-name'),
      ) ?? 'unnamed',
    ),
    address: hostFrom(address),
    connections: 1,
    idleMs: Number(fields.get('idle') ?? 0) * 1000,
    outputBytes: Number(fields.get('omem') ?? 0),
  };
}

/** Redis prints what it does not know as an empty text. */
function firstNamed(...names: readonly (string | undefined)[]): string | undefined {
  return names.find((name) => name !== undefined && name !== '');
}

function together(a: RedisClients, b: RedisClients): RedisClients {
  return {
    name: a.name,
    address: a.address,
    connections: a.connections + b.connections,
    idleMs: Math.min(a.idleMs, b.idleMs),
    outputBytes: a.outputBytes + b.outputBytes,
  };
}

/** `10.0.0.7:50312`, `[::1]:50312`, `/run/redis.sock:0`. */
function hostFrom(address: string): string {
  if (address.startsWith('/')) return 'unix';
  return address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
}

function relationsOfClients(clients: readonly RedisClients[], look: Look): readonly Relation[] {
  const redis = redisEntity(look.target);
  return clients.flatMap((client) => {
    const from = clientEntity(look.target, client.name, client.address);
    const uses: Relation = { from, is: 'uses', to: redis };
    if (client.address === 'unix') return [uses];
    return [uses, { from, is: 'connects-from', to: addressEntity(client.address) }];
  });
}
