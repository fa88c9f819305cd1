import { DoctorError, isDoctorError, maskText, type ErrorCode } from '@starr/kernel';
import { commandName } from './command-name.ts';

/** What a reader needs to act on an error: where we were and as whom. */
export interface RedisErrorContext {
  /** host:port. */
  readonly address: string;
  readonly user: string;
}

/** Any value thrown on the way to a server, as one of our errors. Each branch is met by a real server in redis-error.spec.ts. */
export function redisErrorFrom(thrown: unknown, context: RedisErrorContext): DoctorError {
  if (isDoctorError(thrown)) return thrown;
  const message = messageOf(thrown);
  const found =
    fromReply(message, thrown, context) ??
    fromTls(thrown, context) ??
    fromSocket(thrown, message, context);
  if (found === undefined) return new DoctorError('INTERNAL', { cause: thrown });
  return new DoctorError(found.code, {
    message: `${context.address}: ${found.says}`,
    cause: thrown,
    ...(found.cure === undefined ? {} : { details: { cure: found.cure } }),
  });
}

interface Translation {
  readonly code: ErrorCode;
  readonly says: string;
  readonly cure?: string;
}

function messageOf(thrown: unknown): string {
  return typeof thrown === 'object' && thrown !== null && 'message' in thrown
    ? String(thrown.message)
    : String(thrown);
}

/** Error replies begin with a word in capitals that is part of the protocol; the rest of the text is not. */
function fromReply(
  message: string,
  thrown: unknown,
  { user }: RedisErrorContext,
): Translation | undefined {
  const word = /^[A-Z]+\b/.exec(message)?.[0];
  switch (word) {
    case 'NOPERM':
      return noPermission(message, thrown, user);
    case 'WRONGPASS':
      return denied(
        `user ${user} is unknown, disabled, or its password is wrong`,
        `put the password of user ${user} in the configuration of this target`,
      );
    case 'NOAUTH':
      return denied(
        'the server asks for a password and none is configured',
        'configure a user and its password for this target',
      );
    case 'DENIED':
      return denied(
        'the server is in protected mode and lets only its own host in',
        'give the server a password, or a bind address of its own',
      );
    case 'BUSY':
      return {
        code: 'TARGET_BUSY',
        says: 'a script runs and every other command is answered with BUSY',
        cure: /\bFUNCTION KILL\b/.test(message) ? 'FUNCTION KILL' : 'SCRIPT KILL',
      };
    case 'OOM':
      return { code: 'TARGET_BUSY', says: 'memory is full and the server refuses this command' };
    case 'LOADING':
      return {
        code: 'TARGET_BUSY',
        says: 'the server loads its data set and answers LOADING meanwhile',
        cure: 'wait until the data set is loaded; it answers by itself then',
      };
    case 'ERR':
      return fromPlainError(message);
    default:
      return undefined;
  }
}

/**
 * "User starr has no permissions to run the 'config|get' command" (7.0 on); "this user has no permissions to run the
 * 'config' command or its subcommand" (6), where the driver knows which one it was: the smaller grant.
 */
function noPermission(message: string, thrown: unknown, user: string): Translation {
  const named = /the '([^']+)' command/.exec(message)?.[1];
  if (named === undefined) return denied(`user ${user} lacks a right`, undefined);
  const sent = commandName(wordsSent(thrown));
  const command = sent.startsWith(`${named}|`) ? sent : named;
  return denied(
    `user ${user} may not run ${command.replace('|', ' ')}`,
    `ACL SETUSER ${user} +${command}`,
  );
}

/** The driver hangs the command on the errors of replies. */
function wordsSent(thrown: unknown): readonly string[] {
  if (typeof thrown !== 'object' || thrown === null || !('command' in thrown)) return [];
  const { name, args } = thrown.command as { name?: unknown; args?: unknown };
  return [String(name), ...(Array.isArray(args) ? args.map(String) : [])];
}

function fromPlainError(message: string): Translation {
  if (message.includes('max number of clients reached'))
    return {
      code: 'TARGET_BUSY',
      says: 'no connection is left (maxclients), ours was turned away',
      cure: 'raise maxclients, or find who holds the connections with CLIENT LIST',
    };
  const unknown = /unknown (?:sub)?command ['"`]([^'"`]*)/.exec(message)?.[1];
  if (unknown !== undefined)
    return {
      code: 'TARGET_UNSUPPORTED',
      says: `the server has no command ${maskText(unknown)}: too old, renamed, or taken away by its provider`,
    };
  return { code: 'EVIDENCE_MALFORMED', says: maskText(message) };
}

function denied(says: string, cure: string | undefined): Translation {
  return { code: 'TARGET_DENIED', says, ...(cure === undefined ? {} : { cure }) };
}

/** Certificates are refused by us, not by the server. */
function fromTls(thrown: unknown, { address }: RedisErrorContext): Translation | undefined {
  const code = codeOf(thrown);
  if (!/CERT|^ERR_(TLS|SSL)|^EPROTO$|UNABLE_TO_VERIFY/.test(code)) return undefined;
  return {
    code: 'TARGET_UNREACHABLE',
    says: `TLS with ${address} failed: ${code}`,
    cure: "check tls.ca, tls.serverName and the server's certificate",
  };
}

const SOCKET_SAYS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was reset',
  ETIMEDOUT: 'no connection came about in time',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name cannot be looked up',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  EADDRNOTAVAIL: 'the address cannot be reached',
};

function fromSocket(
  thrown: unknown,
  message: string,
  { address }: RedisErrorContext,
): Translation | undefined {
  const says = SOCKET_SAYS[codeOf(thrown)];
  if (says !== undefined)
    return {
      code: 'TARGET_UNREACHABLE',
      says,
      cure: `check that Redis runs and that ${address} is its address`,
    };
  if (/^Connection is closed|Stream isn't writeable/.test(message))
    return { code: 'TARGET_UNREACHABLE', says: 'the server closed the connection' };
  // The driver gives up on bytes that are no Redis protocol with this request to its users.
  if (message.endsWith('Please report this.'))
    return {
      code: 'EVIDENCE_MALFORMED',
      says: 'what answers there does not speak the Redis protocol',
    };
  return undefined;
}

function codeOf(thrown: unknown): string {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown
    ? String(thrown.code)
    : '';
}
