import { describe, expect, it } from '@jest/globals';
import { benchMatcher } from './bench-matcher.ts';
import { nightOf } from './night.ts';

describe('the bad night', () => {
  it('has the size that is asked for', () => {
    const results = nightOf({ services: 50, podsOfEach: 5 });
    expect(results.flatMap(({ relations }) => relations)).toHaveLength(2000);
    expect(results.flatMap(({ verdict }) => verdict.findings ?? [])).toHaveLength(100);
  });

  it('is a night that the matcher explains, and no heap of strangers', async () => {
    const { causes, findings } = await benchMatcher(1);
    expect(findings).toBe(100);
    expect(causes).toBeGreaterThanOrEqual(50);
  });
});
