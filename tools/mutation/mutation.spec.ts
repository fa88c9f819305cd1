import { expect, it } from '@jest/globals';
import { LEAST_SCORE, MUTATION_PARTS } from './mutation-plan.ts';
import { runStryker } from './run-stryker.ts';
import { scoreOf, survivorLine } from './score.ts';

const MOST_MS = 300_000;

// `npm run mutation` is the whole; this shows in half a minute that mutants are made, run and noticed.
it(
  'the specs notice what is broken in the rule by which a window is judged',
  async () => {
    const window = MUTATION_PARTS.find(({ name }) => name === 'window');
    const specs = window?.specs ?? [];
    const mutants = await runStryker(
      { name: 'rule', files: ['window-rule.ts'], specs },
      { show: false },
    );
    const score = scoreOf(mutants);
    expect(score.mutants).toBeGreaterThan(20);
    // the names of the survivors, when there are too many of them
    expect(score.percent < LEAST_SCORE ? score.survivors.map(survivorLine) : []).toEqual([]);
  },
  MOST_MS,
);
