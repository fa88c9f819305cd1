import { describe, expect, it } from '@jest/globals';
import { spreadOf } from '../../statistics.ts';
import { ENTRIES, type PoliciesBench } from './bench-policies.ts';
import { judgePolicies } from './judge-policies.ts';
import { POLICY_GOALS } from './policy-goals.ts';
import type { Laps } from './run-race.ts';

const laps = (overNs: number): Laps => ({
  bare: spreadOf([100]),
  call: spreadOf([100 + overNs]),
  over: spreadOf([overNs]),
});

function benchWith(oursNs: number, theirsNs: number, bytesEach: number): PoliciesBench {
  return {
    races: new Map(
      Object.entries(ENTRIES).map(([race, entrants]) => [
        race,
        new Map(entrants.map((who) => [who, laps(who === 'starr' ? oursNs : theirsNs)])),
      ]),
    ),
    idle: new Map([
      ['starr', { bytesEach, busyRatio: 0, busyRatioBefore: 0 }],
      ['opossum', { bytesEach: 7000, busyRatio: 0.2, busyRatioBefore: 0 }],
    ]),
    idleCount: 10_000,
  };
}

describe('the goals of the policies', () => {
  it('are all met by a tenth of the rivals’ overhead', () => {
    expect(judgePolicies(benchWith(10, 100, 1024)).filter(({ isMet }) => !isMet)).toEqual([]);
  });

  it('are all missed by far more than the rivals’ overhead and memory', () => {
    const missed = judgePolicies(benchWith(5000, 100, 1025)).filter(({ isMet }) => !isMet);
    // the memory is too much, and the processor time of idle breakers and what is only a difference stay good
    expect(missed).toHaveLength(POLICY_GOALS.length);
  });

  it('say what was promised and what was seen', () => {
    expect(judgePolicies(benchWith(50, 100, 900))).toContainEqual({
      says: 'consecutive: at most 0.5 times the overhead of cockatiel: 0.50',
      isMet: true,
    });
  });
});
