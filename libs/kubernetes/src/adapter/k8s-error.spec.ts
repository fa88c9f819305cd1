import { describe, expect, it } from '@jest/globals';
import { blindFromError, DoctorError } from '@starr/kernel';
import type { HttpAnswer } from './http.ts';
import { errorFromAnswer, errorFromThrown } from './k8s-error.ts';

const answer = (status: number, text = ''): HttpAnswer => ({
  status,
  text,
  headers: {},
  bytes: text.length,
  cut: false,
});
const status = (message: string) => JSON.stringify({ kind: 'Status', message });
const LIST = { verb: 'list', group: 'apps', resource: 'deployments', namespace: 'shop' } as const;
const forbidden = (user: string) =>
  status(
    `deployments.apps is forbidden: User "${user}" cannot list resource "deployments" in API group "apps" in the namespace "shop"`,
  );

describe('an answer of the API server', () => {
  it.each([
    [401, '', 'denied', 'TARGET_DENIED'],
    [403, forbidden('ann'), 'denied', 'TARGET_DENIED'],
    [404, status('not found'), 'unsupported', 'TARGET_UNSUPPORTED'],
    [405, 'no', 'unsupported', 'TARGET_UNSUPPORTED'],
    [410, status('too old'), 'truncated', 'EVIDENCE_TRUNCATED'],
    [422, status('invalid'), 'unsupported', 'EVIDENCE_MALFORMED'],
    [429, 'Too many requests, please try again later.', 'unreachable', 'TARGET_BUSY'],
    [500, status('boom'), 'unreachable', 'TARGET_UNREACHABLE'],
    [503, 'unavailable', 'unreachable', 'TARGET_UNREACHABLE'],
    [504, status('Timeout: request did not complete'), 'timeout', 'EVIDENCE_TIMEOUT'],
  ])('%d reads as %s', (code, text, why, errorCode) => {
    const error = errorFromAnswer(answer(code, text), 'list deployments in shop');
    expect([error.code, blindFromError(error).why]).toEqual([errorCode, why]);
  });

  it.each([
    ['a user', 'ann', '--user=ann'],
    ['a service account', 'system:serviceaccount:starr:doctor', '--serviceaccount=starr:doctor'],
    ['a user whose name a shell would read', "o'neil; rm", `--user='o'\\''neil; rm'`],
  ])('403 names the cure for %s', (_what, user, flag) => {
    const error = errorFromAnswer(answer(403, forbidden(user)), 'x', LIST);
    expect(error.details['cure']).toMatch(
      /^kubectl create role (\S+) --namespace=shop --verb=list --resource=deployments.apps && kubectl create rolebinding \1 --namespace=shop --role=\1 /,
    );
    expect(error.details['cure']).toContain(flag);
  });

  it('403 without a name is denied without a cure: nothing is guessed', () => {
    const error = errorFromAnswer(answer(403, 'go away'), 'x', LIST);
    expect(error.rawMessage).toBe('The account may not list deployments in namespace shop (403)');
    expect(error.details).toEqual({});
  });

  it('keeps secrets of the words to itself', () => {
    expect(
      errorFromAnswer(answer(500, status('dial postgres://u:hunter2@db failed')), 'x').rawMessage,
    ).not.toContain('hunter2');
  });
});

describe('what was thrown', () => {
  it.each([
    [
      Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:6443'), { code: 'ECONNREFUSED' }),
      'TARGET_UNREACHABLE',
    ],
    [
      Object.assign(new Error('getaddrinfo ENOTFOUND api'), { code: 'ENOTFOUND' }),
      'TARGET_UNREACHABLE',
    ],
    [
      Object.assign(new Error('This operation was aborted'), { name: 'AbortError' }),
      'EVIDENCE_TIMEOUT',
    ],
    [Object.assign(new Error('due to timeout'), { name: 'TimeoutError' }), 'EVIDENCE_TIMEOUT'],
    [
      Object.assign(new Error("ENOENT: no such file or directory, open '/x'"), { code: 'ENOENT' }),
      'CONFIG_UNREADABLE',
    ],
    ['a string', 'TARGET_UNREACHABLE'],
    [undefined, 'TARGET_UNREACHABLE'],
    [new DoctorError('TARGET_BUSY'), 'TARGET_BUSY'],
  ])('%s', (thrown, code) => {
    expect(errorFromThrown(thrown, 'x').code).toBe(code);
  });

  it('a server that is not trusted has its own cure', () => {
    const error = errorFromThrown(
      Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }),
      'x',
    );
    expect(error.code).toBe('TARGET_UNREACHABLE');
    expect(error.rawMessage).toMatch(/^No trust in the API server/);
    expect(error.details['cure']).toMatch(/certificate-authority/);
  });
});
