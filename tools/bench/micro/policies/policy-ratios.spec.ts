import { describe, expect, it } from '@jest/globals';
import { ENTRIES, runRace } from './bench-policies.ts';
import { ratioOf } from './judge-policies.ts';
import { POLICY_GOALS } from './policy-goals.ts';

// Short: a gate against regressions, not a measurement. What a busy machine spoils once is run again.
const SIZE = { samples: 25, sampleMs: 4 };
const TRIES = 4;

const gates = POLICY_GOALS.filter((goal) => goal.kind === 'ratio');

describe('the overhead of a policy, as a share of a rival’s in the same run', () => {
  it.each(gates)('$race: at most $gate of $rival', async ({ race, rival, gate }) => {
    const ratios: number[] = [];
    do {
      const laps = await runRace(race, ['starr', rival], 1, SIZE);
      ratios.push(ratioOf(new Map([[race, laps]]), race, rival));
    } while (Math.min(...ratios) > gate && ratios.length < TRIES);
    expect(Math.min(...ratios)).toBeLessThanOrEqual(gate);
  });

  it('is held for every race that has a goal', () => {
    expect([...new Set(POLICY_GOALS.map(({ race }) => race))].toSorted()).toEqual(
      Object.keys(ENTRIES).toSorted(),
    );
  });
});
