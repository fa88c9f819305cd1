import { describe, expect, it } from '@jest/globals';
import { parseGameDayArgs } from './options.ts';

const parse = (...args: string[]) => parseGameDayArgs(args, ['leak', 'control'], () => 42);

describe('arguments of the game day', () => {
  it('plays everything with a drawn seed without arguments', () => {
    expect(parse()).toEqual({ seed: 42, only: [], verbose: false });
  });

  it('takes a seed, scenarios and --verbose in any order', () => {
    expect(parse('leak', '--seed', '7', '--verbose', 'control')).toEqual({
      seed: 7,
      only: ['leak', 'control'],
      verbose: true,
    });
  });

  it.each([
    [['--seed'], '--seed is ""; allowed: a whole number, 0 to 999999999'],
    [['--seed', '1.5'], '--seed is "1.5"; allowed: a whole number, 0 to 999999999'],
    [['--seed', '-1'], '--seed is "-1"; allowed: a whole number, 0 to 999999999'],
    [['leek'], 'scenario is "leek"; allowed: leak, control'],
    [
      ['--fast'],
      'argument is "--fast"; allowed: --seed, --verbose\nnpm run game-day -- [--seed N] [--verbose] [scenario …]',
    ],
  ])('refuses %j and says what is allowed', (args, fault) => {
    expect(parse(...args)).toEqual({ fault });
  });
});
