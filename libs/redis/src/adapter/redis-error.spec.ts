import { describe, expect, it } from '@jest/globals';
import { DoctorError } from '@starr/kernel';
import { redisErrorFrom } from './redis-error.ts';

const CONTEXT = { address: 'cache.internal:6379', user: 'starr' };

function reply(message: string, command?: { name: string; args: string[] }): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' }, command && { command });
}

function socketError(code: string): Error {
  return Object.assign(new Error(`connect ${code}`), { code });
}

/** Replies that no server of the lab gives; those that one gives are met in create-redis-adapter.spec.ts. */
describe('redisErrorFrom', () => {
  it.each([
    [
      'of 8.2',
      "NOPERM User starr has no permissions to run the 'config|get' command",
      'ACL SETUSER starr +config|get',
    ],
    [
      'of 7.0',
      "NOPERM this user has no permissions to run the 'client|list' command",
      'ACL SETUSER starr +client|list',
    ],
    [
      'of 6.2, which names the container alone',
      "NOPERM this user has no permissions to run the 'config' command or its subcommand",
      'ACL SETUSER starr +config|get',
    ],
  ])('gives the smallest grant for a denial %s', (_, message, cure) => {
    const error = redisErrorFrom(
      reply(message, { name: 'config', args: ['GET', 'maxmemory'] }),
      CONTEXT,
    );
    expect(error).toMatchObject({ code: 'TARGET_DENIED', details: { cure } });
  });

  it.each([
    ['NOAUTH Authentication required.', 'TARGET_DENIED'],
    ['DENIED Redis is running in protected mode because …', 'TARGET_DENIED'],
    ['ERR max number of clients reached', 'TARGET_BUSY'],
    ["ERR unknown command 'CONFIG', with args beginning with: 'GET'", 'TARGET_UNSUPPORTED'],
    ["ERR unknown subcommand 'NO-TOUCH'. Try CLIENT HELP.", 'TARGET_UNSUPPORTED'],
    ['ERR something else', 'EVIDENCE_MALFORMED'],
    ['ODD word', 'INTERNAL'],
  ])('reads the reply %j as %s', (message, code) => {
    expect(redisErrorFrom(reply(message), CONTEXT).code).toBe(code);
  });

  it('knows that a function is ended by another command than a script', () => {
    const message =
      'BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.';
    expect(redisErrorFrom(reply(message), CONTEXT).details).toEqual({ cure: 'FUNCTION KILL' });
  });

  it.each([
    ['ENOTFOUND', /host name is not known/],
    ['EHOSTUNREACH', /cannot be reached/],
    ['ETIMEDOUT', /no connection came about/],
    ['ECONNRESET', /reset/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /TLS .* failed: DEPTH_ZERO_SELF_SIGNED_CERT/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /TLS .* failed/],
  ])('reads the socket error %s as unreachable', (code, says) => {
    const error = redisErrorFrom(socketError(code), CONTEXT);
    expect(error.code).toBe('TARGET_UNREACHABLE');
    expect(error.rawMessage).toMatch(says);
  });

  it('passes our own errors on, and hides what it does not know', () => {
    const own = new DoctorError('EVIDENCE_TIMEOUT');
    expect(redisErrorFrom(own, CONTEXT)).toBe(own);
    expect(redisErrorFrom(undefined, CONTEXT)).toMatchObject({ code: 'INTERNAL' });
    expect(redisErrorFrom(new TypeError('x is no function'), CONTEXT)).toMatchObject({
      code: 'INTERNAL',
      rawMessage: 'Something went wrong inside Starr.',
    });
  });

  it('masks secrets in what a server says', () => {
    const error = redisErrorFrom(reply('ERR bad password: hunter2secret'), CONTEXT);
    expect(error.rawMessage).not.toContain('hunter2secret');
  });
});
