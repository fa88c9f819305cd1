import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { blindFromError } from '@starr/kernel';
import {
  createAuthority,
  freePort,
  makeTemporaryFolder,
  startRedis,
  type LabRedis,
  type TemporaryFolder,
} from '@starr/lab';
import { limitOf } from '../test/limit-of.ts';
import { createRedisAdapter } from './create-redis-adapter.ts';
import type { RedisConfig } from './redis-config.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

describe('the adapter over TLS to a real Redis', () => {
  const authority = createAuthority('cache authority');
  const client = authority.issue({ commonName: 'starr' });
  let redis: LabRedis;
  let folder: TemporaryFolder;
  let tlsPort: number;
  beforeAll(async () => {
    [folder, tlsPort] = await Promise.all([makeTemporaryFolder('redis-tls'), freePort()]);
    const server = authority.issue({
      commonName: 'cache.internal',
      alternativeNames: ['DNS:cache.internal', 'IP:127.0.0.1'],
    });
    const file = async (name: string, text: string): Promise<string> => {
      await writeFile(join(folder.path, name), text);
      return join(folder.path, name);
    };
    redis = await startRedis({
      settings: {
        'tls-port': String(tlsPort),
        'tls-cert-file': await file('server.pem', server.certPem),
        'tls-key-file': await file('server.key', server.keyPem),
        'tls-ca-cert-file': await file('ca.pem', authority.certPem),
        'tls-auth-clients': 'no',
      },
      aclUsers: ['starr on >look -@all +info +time'],
    });
  }, 240_000);
  afterAll(async () => {
    await redis.stop();
    await folder.remove();
  });

  /** `seen`, or what the host makes of it. */
  async function greeted(
    config: Omit<RedisConfig, 'url'> & { readonly url?: string },
  ): Promise<unknown> {
    const adapter = createRedisAdapter({ url: `rediss://127.0.0.1:${tlsPort}`, ...config });
    try {
      await adapter.greet(limitOf(1000));
      return 'seen';
    } catch (error) {
      return blindFromError(error);
    } finally {
      await adapter.close();
    }
  }

  it('trusts the configured authority, for the address or for the configured name', async () => {
    const ca = authority.certPem;
    expect(await greeted({ tls: { ca } })).toBe('seen');
    expect(await greeted({ tls: { ca, serverName: 'cache.internal' } })).toBe('seen');
    const url = `rediss://starr@127.0.0.1:${tlsPort}`;
    expect(await greeted({ url, password: 'look', tls: { ca } })).toBe('seen');
  });

  it('switches TLS on for a redis:// url that has TLS configured', async () => {
    const url = `redis://127.0.0.1:${tlsPort}`;
    expect(await greeted({ url, tls: { ca: authority.certPem } })).toBe('seen');
  });

  it.each<[string, RedisConfig['tls'], RegExp]>([
    ['an authority that nobody configured', undefined, /TLS .* failed: .*CERT|UNABLE_TO_VERIFY/],
    [
      'another authority',
      { ca: createAuthority('another').certPem },
      /TLS .* failed: .*(CERT|UNABLE_TO_VERIFY)/,
    ],
    [
      'a certificate for another name',
      { ca: authority.certPem, serverName: 'other.internal' },
      /TLS .* failed: ERR_TLS_CERT_ALTNAME_INVALID/,
    ],
  ])('does not talk to %s', async (_, tls, detail) => {
    expect(await greeted(tls === undefined ? {} : { tls })).toMatchObject({
      why: 'unreachable',
      detail: expect.stringMatching(detail) as unknown,
      cure: expect.stringContaining('tls.ca') as unknown,
    });
  });

  it('shows its own certificate where the server asks for one', async () => {
    await redis.command('CONFIG', 'SET', 'tls-auth-clients', 'yes');
    const ca = authority.certPem;
    try {
      expect(await greeted({ tls: { ca } })).toMatchObject({ why: 'unreachable' });
      expect(await greeted({ tls: { ca, cert: client.certPem, key: client.keyPem } })).toBe('seen');
    } finally {
      await redis.command('CONFIG', 'SET', 'tls-auth-clients', 'no');
    }
  });

  it('says so when one side speaks TLS and the other does not', async () => {
    expect(await greeted({ url: `redis://127.0.0.1:${tlsPort}` })).toMatchObject({
      why: 'unreachable',
    });
    expect(await greeted({ url: redis.url.replace('redis:', 'rediss:') })).toMatchObject({
      why: 'timeout',
    });
  });

  it('ends a connection over TLS as it ends others, when the server stands still', async () => {
    redis.pause();
    try {
      expect(await greeted({ tls: { ca: authority.certPem } })).toMatchObject({ why: 'timeout' });
    } finally {
      redis.resume();
    }
    expect(await greeted({ tls: { ca: authority.certPem } })).toBe('seen');
  });
});
