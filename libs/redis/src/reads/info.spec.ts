import { describe, expect, it } from '@jest/globals';
import { isBlindSpot } from '@starr/kernel';
import { infoFromRaw, type RedisInfo } from './info.ts';

function infoOf(text: string): RedisInfo {
  const info = infoFromRaw(text);
  if (isBlindSpot(info)) throw new Error(info.detail);
  return info;
}

describe('infoFromRaw', () => {
  it('tells features by fields and never by a version', () => {
    const info = infoOf('redis_version:9.9.9\nrun_id:abc\nuptime_in_seconds:90\nused_memory:1000');
    expect(info).toEqual({
      runId: 'abc',
      uptimeMs: 90_000,
      clustered: false,
      memory: { usedBytes: 1000 },
      stats: {},
      keys: { total: 0, volatile: 0 },
      replicas: [],
    });
  });

  it('adds up the keys of all databases', () => {
    expect(infoOf('db0:keys=10,expires=4,avg_ttl=0\ndb3:keys=5,expires=5').keys).toEqual({
      total: 15,
      volatile: 9,
    });
  });

  it.each([
    ['counted', '# Errorstats\nerrorstat_ERR:count=3\nerrorstat_OOM:count=7', 7],
    ['zero when the section lists none', '# Errorstats\nerrorstat_ERR:count=3', 0],
    ['not known when the server has no such section', '# Stats\nkeyspace_hits:1', undefined],
  ])('has refusals %s', (_, text, count) => {
    expect(infoOf(text).stats.oomErrors).toBe(count);
  });

  it('is blind while the data set loads, since the numbers are of a part of it', () => {
    expect(
      infoFromRaw('loading:1\nloading_loaded_perc:43.40\nloading_eta_seconds:12\nused_memory:5'),
    ).toMatchObject({
      kind: 'blind',
      why: 'unreachable',
      detail:
        'the server loads its data set: 43 % read, about 12 s left, and answers LOADING meanwhile',
    });
  });

  it('names the replicas of a primary', () => {
    expect(
      infoOf('role:master\nslave0:ip=10.0.0.2,port=6379,state=online,offset=1,lag=0').replicas,
    ).toEqual(['10.0.0.2:6379']);
  });

  it.each([[''], ['  \r\n'], [null], [42], [['a']]])('is blind when INFO answers %j', (raw) => {
    expect(infoFromRaw(raw)).toMatchObject({ kind: 'blind', why: 'unsupported' });
  });
});
