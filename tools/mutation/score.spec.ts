import { describe, expect, it } from '@jest/globals';
import type { Mutant } from './run-stryker.ts';
import { scoreLine, scoreOf, survivorLine } from './score.ts';

const mutant = (status: Mutant['status']): Mutant => ({
  file: 'breaker-automaton.ts',
  line: 7,
  column: 3,
  mutator: 'BlockStatement',
  replacement: '{\n  }',
  status,
});

describe('the mutation score', () => {
  it.each<[Mutant['status'][], number]>([
    [['Killed', 'Timeout', 'Killed', 'Survived'], 75],
    [['Killed', 'NoCoverage'], 50],
    [['Killed', 'CompileError', 'Ignored', 'RuntimeError'], 100],
    [[], 0],
  ])('of %j is %d', (statuses, percent) => {
    expect(scoreOf(statuses.map(mutant)).percent).toBe(percent);
  });

  it('is printed with what was not noticed', () => {
    const score = scoreOf([mutant('Killed'), mutant('Survived'), mutant('NoCoverage')]);
    expect(scoreLine('automaton', score)).toBe('automaton  1 of 3 mutants noticed: 33.3 %');
    expect(score.survivors.map(survivorLine)).toEqual([
      '  breaker-automaton.ts:7:3 BlockStatement → { }',
      '  breaker-automaton.ts:7:3 BlockStatement → { } (no spec runs it)',
    ]);
  });
});
