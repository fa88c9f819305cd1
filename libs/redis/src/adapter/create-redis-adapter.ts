import {
  DoctorError,
  toDoctorError,
  type Adapter,
  type Greeting,
  type Limit,
  type Outcome,
  type Probed,
} from '@starr/kernel';
import { parseInfo } from '../reads/parse-info.ts';
import type { RedisAccess, RedisAct, RedisRequest } from '../request.ts';
import { apply } from './apply.ts';
import { openConnection, type RedisConnection } from './connect.ts';
import { actDeadlineFor, deadlineFor, type Deadline } from './deadline.ts';
import { clockFrom, perform } from './perform.ts';
import { probe } from './probe.ts';
import { providerOf, redisAddress, redisCliText, type RedisAddress } from './redis-address.ts';
import type { RedisConfig, RedisCredential } from './redis-config.ts';
import { actingRights } from './rights.ts';

/** A connection that was silent for longer may have died unseen (NAT, fail-over): a new one is cheaper than a time-out. */
const WARM_FOR_MS = 30_000;

/**
 * The adapter of one server. Connects when first asked; keeps one connection for looking, and opens one for each act
 * or probe. Fails with CONFIG_INVALID when the url is none.
 */
export function createRedisAdapter(config: RedisConfig): Adapter<RedisRequest, RedisAct> {
  const address = redisAddress(config);
  const warm = warmConnection(address);
  const running = new Set<string>();
  return {
    greet: (limit) => greet(warm, address, deadlineFor(limit)),
    async perform(request, limit) {
      const deadline = deadlineFor(limit);
      if (request.kind === 'acting-rights') return access(address, request.commands, deadline);
      return perform(request, await warm.get(deadline), deadline, limit.maxRows);
    },
    apply: (act, operationId, limit) => applied(address, running, act, operationId, limit),
    probe: (act, operationId, limit) => probed(address, running, act, operationId, limit),
    close: () => warm.close(),
  };
}

interface WarmConnection {
  get(deadline: Deadline): Promise<RedisConnection>;
  close(): Promise<void>;
}

function warmConnection(address: RedisAddress): WarmConnection {
  let opening: Promise<RedisConnection> | undefined;
  let usedAtMs = 0;
  const closeOld = (old: Promise<RedisConnection> | undefined): Promise<void> =>
    old?.then(
      (connection) => {
        connection.close();
      },
      () => undefined, // it never opened
    ) ?? Promise.resolve();
  return {
    async get(deadline) {
      const idleMs = performance.now() - usedAtMs;
      usedAtMs = performance.now();
      const held = idleMs > WARM_FOR_MS ? undefined : opening;
      if (held !== undefined) {
        const connection = await held.catch(() => undefined);
        if (connection?.usable === true) return connection;
        if (opening !== held && opening !== undefined) return opening; // somebody opened another meanwhile
      }
      void closeOld(opening);
      opening = openConnection(address, address.diagnosing, deadline);
      return opening;
    },
    close() {
      const old = opening;
      opening = undefined;
      return closeOld(old);
    },
  };
}

/** Without TIME the clock is INFO's; without INFO the version stays unknown. Without both: denied. */
async function greet(
  warm: WarmConnection,
  { text: where }: RedisAddress,
  deadline: Deadline,
): Promise<Greeting> {
  const connection = await warm.get(deadline);
  const [time, info] = await connection.send([['TIME'], ['INFO', 'server']], deadline);
  const now = clockFrom(time, info);
  if (now === undefined) {
    if (info?.ok === false) throw bothRefused(info.error, where, connection.user);
    throw new DoctorError('EVIDENCE_MALFORMED', { message: `${where}: TIME gave no time` });
  }
  return { version: info?.ok === true ? versionFrom(String(info.reply)) : '', now };
}

function bothRefused(error: DoctorError, where: string, user: string): DoctorError {
  if (error.code !== 'TARGET_DENIED' || !error.details['cure']?.startsWith('ACL SETUSER'))
    return error;
  return new DoctorError('TARGET_DENIED', {
    message: `${where}: user ${user} may run neither INFO nor TIME`,
    cause: error,
    details: { cure: `ACL SETUSER ${user} +info +time` },
  });
}

/** Valkey keeps redis_version at 7.2.4 for old clients and has a field of its own. */
function versionFrom(info: string): string {
  const fields = parseInfo(info);
  const valkey = fields.text('valkey_version');
  if (valkey !== undefined) return `Valkey ${valkey}`;
  const redis = fields.text('redis_version');
  return redis === undefined ? '' : `Redis ${redis}`;
}

async function access(
  address: RedisAddress,
  commands: readonly (readonly string[])[],
  deadline: Deadline,
): Promise<RedisAccess> {
  const { acting } = address;
  const redisCli = redisCliText(address, acting);
  const provider = providerOf(address.host);
  const known = provider === undefined ? { redisCli } : { redisCli, provider };
  if (acting === undefined) return { state: 'no-credential', ...known };
  const rights = await withConnection(address, acting, deadline, (connection) =>
    actingRights(commands, connection, deadline),
  );
  return { state: 'asked', ...rights, ...known };
}

async function* applied(
  address: RedisAddress,
  running: Set<string>,
  act: RedisAct,
  operationId: string,
  limit: Limit,
): AsyncIterable<Outcome> {
  running.add(operationId);
  try {
    yield await applyOnce(address, act, operationId, actDeadlineFor(limit));
  } finally {
    running.delete(operationId);
  }
}

/** Until the connection stands nothing was sent; from then on `apply` answers for all that happens. */
async function applyOnce(
  address: RedisAddress,
  act: RedisAct,
  operationId: string,
  deadline: Deadline,
): Promise<Outcome> {
  let connection: RedisConnection;
  try {
    connection = await openConnection(address, actingOf(address), deadline);
  } catch (error) {
    return { kind: 'outcome', outcome: 'failed', says: toDoctorError(error).rawMessage };
  }
  try {
    return await apply(act, operationId, connection, deadline);
  } finally {
    connection.close();
  }
}

async function probed(
  address: RedisAddress,
  running: Set<string>,
  act: RedisAct,
  operationId: string,
  limit: Limit,
): Promise<Probed> {
  if (running.has(operationId)) return { state: 'running', says: 'the answer is still awaited' };
  const deadline = actDeadlineFor(limit);
  return withConnection(address, actingOf(address), deadline, (connection) =>
    probe(act, operationId, connection, deadline),
  );
}

function actingOf({ acting, text }: RedisAddress): RedisCredential {
  if (acting !== undefined) return acting;
  throw new DoctorError('TARGET_DENIED', {
    message: `${text}: no acting credential is configured`,
  });
}

async function withConnection<T>(
  address: RedisAddress,
  credential: RedisCredential,
  deadline: Deadline,
  work: (connection: RedisConnection) => Promise<T>,
): Promise<T> {
  const connection = await openConnection(address, credential, deadline);
  try {
    return await work(connection);
  } finally {
    connection.close();
  }
}
