import { isIP, type Socket } from 'node:net';
import { DoctorError } from '@starr/kernel';
import { Redis, type RedisOptions } from 'ioredis';
import { within, type Deadline } from './deadline.ts';
import { userOf, type RedisAddress } from './redis-address.ts';
import type { RedisCredential, RedisSecret, RedisTls } from './redis-config.ts';
import { redisErrorFrom, type RedisErrorContext } from './redis-error.ts';

/** One connection with its login done. It never reconnects: whoever finds it unusable opens another. */
export interface RedisConnection {
  readonly user: string;
  /** False once it is closed or broken. */
  readonly usable: boolean;
  /** Commands that are sent in one go, so that nobody's come between them; an answer or a DoctorError for each, in order. */
  send(
    commands: readonly (readonly string[])[],
    deadline: Deadline,
  ): Promise<readonly RedisAnswer[]>;
  close(): void;
  /** Ends it at once; whoever waits for an answer gets `why`. */
  readonly abandon: (why: DoctorError) => void;
}

export type RedisAnswer =
  | { readonly ok: true; readonly reply: unknown }
  | { readonly ok: false; readonly error: DoctorError };

/** Connects and logs in; fails with DoctorError. Costs one connection, and a command for the login. */
export async function openConnection(
  address: RedisAddress,
  credential: RedisCredential,
  deadline: Deadline,
): Promise<RedisConnection> {
  deadline.spend('connections', 1);
  const redis = new Redis(optionsFor(address));
  const context = { address: address.text, user: userOf(credential) };
  const connection = connectionOver(redis, context);
  try {
    await within(
      deadline,
      address.text,
      async () => {
        await connection.connected();
        await login(connection, credential, deadline);
      },
      connection.abandon,
    );
  } catch (error) {
    connection.close();
    throw error;
  }
  return connection;
}

/**
 * One attempt, no queue, no check of its own: a server that is LOADING or denies INFO shall say so itself. The
 * driver's own login is not used, since it prints to the console what it could not make sense of. RESP2: one shape
 * of replies on every version.
 */
function optionsFor({ host, port, tls }: RedisAddress): RedisOptions & { replyMapping: 'legacy' } {
  return {
    host,
    port,
    lazyConnect: true,
    protocol: 2,
    replyMapping: 'legacy',
    enableOfflineQueue: false,
    enableReadyCheck: false,
    disableClientInfo: true,
    autoResendUnfulfilledCommands: false,
    retryStrategy: () => null,
    connectTimeout: 0, // the limit's own deadline ends the attempt
    ...(tls === undefined
      ? {}
      : {
          tls: {
            ...servernameFor(tls, host),
            ...(tls.ca === undefined ? {} : { ca: tls.ca }),
            ...(tls.cert === undefined ? {} : { cert: tls.cert }),
            ...(tls.key === undefined ? {} : { key: tls.key }),
          },
        }),
  };
}

/** An address is no server name (RFC 6066); certificates for addresses are checked without one. */
function servernameFor(tls: RedisTls, host: string): { servername?: string } {
  const name = tls.serverName ?? host;
  return isIP(name) === 0 ? { servername: name } : {};
}

type Connecting = RedisConnection & { connected(): Promise<void> };

function connectionOver(redis: Redis, context: RedisErrorContext): Connecting {
  let broken: DoctorError | undefined;
  let lastError: unknown;
  redis.on('error', (error: unknown) => {
    lastError = error; // the command or the connect that met it rejects
  });
  const translate = (thrown: unknown): DoctorError => {
    if (broken !== undefined) return broken;
    const closed = redis.status !== 'ready' && lastError !== undefined;
    return redisErrorFrom(closed ? lastError : thrown, context);
  };
  const answer = async ([name = '', ...args]: readonly string[]): Promise<RedisAnswer> => {
    try {
      return { ok: true, reply: await redis.call(name, ...args) };
    } catch (thrown) {
      return { ok: false, error: translate(thrown) };
    }
  };
  const connection: Connecting = {
    user: context.user,
    get usable() {
      return broken === undefined && redis.status === 'ready';
    },
    async connected() {
      try {
        await redis.connect();
      } catch (thrown) {
        throw translate(thrown);
      }
    },
    send(commands, deadline) {
      deadline.spend('commands', commands.length);
      return within(
        deadline,
        context.address,
        () => Promise.all(commands.map(answer)),
        connection.abandon,
      );
    },
    close() {
      redis.disconnect();
    },
    abandon: (why) => {
      broken ??= why;
      discard(redis);
    },
  };
  return connection;
}

/**
 * What the kernel has not sent yet shall never be sent: a reset, not an orderly end. Nothing may be ended before it:
 * a socket that is being shut down cannot be reset, and its handle is then never closed. Sockets with TLS, or not
 * yet connected, know no reset.
 */
function discard(redis: Redis): void {
  const socket = redis.stream as Socket | undefined; // absent until the driver's next tick
  if (socket === undefined) redis.disconnect();
  else if (socket.connecting || 'encrypted' in socket) socket.destroy();
  else socket.resetAndDestroy();
}

/** `AUTH` as its own command: its refusal is an answer like any other. */
async function login(
  connection: RedisConnection,
  credential: RedisCredential,
  deadline: Deadline,
): Promise<void> {
  const { user, password } = credential;
  if (user === undefined && password === undefined) return;
  const secret = await secretFrom(password, connection.user);
  const words = user === undefined ? ['AUTH', secret] : ['AUTH', user, secret];
  const [answer] = await connection.send([words], deadline);
  if (answer === undefined || answer.ok) return;
  // A password for a server that asks for none is no reason not to look.
  if (answer.error.rawMessage.includes('without any password configured')) return;
  throw answer.error;
}

async function secretFrom(secret: RedisSecret | undefined, user: string): Promise<string> {
  if (typeof secret !== 'function') return secret ?? '';
  try {
    return await secret();
  } catch (cause) {
    throw new DoctorError('TARGET_DENIED', {
      message: `the password of user ${user} could not be obtained`,
      cause,
      details: { cure: 'check what the configuration names as the source of this password' },
    });
  }
}
