import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { isBlindSpot, type GrantsAdvice } from '@starr/kernel';
import { startRedis, type LabRedis } from '@starr/lab';
import { createRedisAdapter } from './adapter/create-redis-adapter.ts';
import type { RedisConfig } from './adapter/redis-config.ts';
import { redisGrants } from './grants.ts';
import { limitOf } from './test/limit-of.ts';
import { LOOK } from './test/pair-of.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

describe('what is to be granted on a real Redis', () => {
  let redis: LabRedis;
  beforeAll(async () => {
    redis = await startRedis({
      aclUsers: ['starr on >look -@all', 'acting on >act -@all', 'half on >act -@all +multi +info'],
    });
  }, 240_000);
  afterAll(() => redis.stop());

  async function advise(config: Partial<RedisConfig>): Promise<GrantsAdvice> {
    const adapter = createRedisAdapter({ url: redis.url, ...config });
    const see = async (
      read: typeof redisGrants.reads.looking | typeof redisGrants.reads.acting,
    ) => {
      const request = read.request(LOOK);
      if (isBlindSpot(request)) throw new Error(request.detail);
      return read.parse(await adapter.perform(request, limitOf()), LOOK);
    };
    const seen = {
      looking: await see(redisGrants.reads.looking),
      acting: await see(redisGrants.reads.acting),
    };
    await adapter.close();
    return redisGrants.advise(seen as Parameters<typeof redisGrants.advise>[0], LOOK);
  }

  const looking = (): Partial<RedisConfig> => ({
    url: `redis://starr@127.0.0.1:${redis.port}`,
    password: 'look',
  });

  it('for bare users: all of it, and run verbatim nothing is lacking', async () => {
    const config = { ...looking(), acting: { user: 'acting', password: 'act' } };
    const before = await advise(config);
    expect(before).toEqual({
      language: 'acl',
      diagnosing: ['ACL SETUSER starr on resetkeys resetchannels -@all +info +time +client|list'],
      acting: [
        'ACL SETUSER acting on resetkeys resetchannels -@all +multi +info +config|get +config|set ' +
          '+client|setname +client|list +client|kill',
      ],
      lacking: [
        'ACL SETUSER starr +info +time +client|list',
        'ACL SETUSER acting +multi +info +config|get +config|set +client|setname +client|list +client|kill',
      ],
    });
    for (const line of before.lacking) await redis.command(...line.split(' '));
    expect((await advise(config)).lacking).toEqual([]);
    for (const line of [...before.diagnosing, ...before.acting])
      await redis.command(...line.split(' '));
    expect((await advise(config)).lacking).toEqual([]);
  });

  it('lists only what is not there yet', async () => {
    const { lacking } = await advise({ acting: { user: 'half', password: 'act' } });
    expect(lacking).toEqual([
      'ACL SETUSER half +config|get +config|set +client|setname +client|list +client|kill',
    ]);
  });

  it('in place of the default user others are named, as an offer', async () => {
    const { diagnosing, acting, lacking } = await advise({});
    expect(diagnosing[0]).toMatch(/^ACL SETUSER starr on /);
    expect(acting[0]).toMatch(/^ACL SETUSER starr-act on .* \+client\|kill$/);
    expect(lacking).toEqual([]);
    await redis.command(...(acting[0] ?? '').split(' '));
  });
});
