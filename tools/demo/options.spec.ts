import { describe, expect, it } from '@jest/globals';
import { parseDemoArgs } from './options.ts';

describe('arguments of the demo', () => {
  it('plays everything without arguments', () => {
    expect(parseDemoArgs([])).toEqual({ quick: false, without: new Set() });
  });

  it('takes --quick and parts to leave out', () => {
    expect(parseDemoArgs(['--quick', '--without', 'kubernetes,jaeger'])).toEqual({
      quick: true,
      without: new Set(['kubernetes', 'jaeger']),
    });
  });

  it.each([
    [['--without', 'redis'], '--without is "redis"; allowed: kubernetes, jaeger'],
    [['--without'], '--without is ""; allowed: kubernetes, jaeger'],
    [
      ['--fast'],
      'argument is "--fast"; allowed: --quick, --without\nnpm run demo -- [--quick] [--without kubernetes,jaeger]',
    ],
  ])('refuses %j and says what is allowed', (args, fault) => {
    expect(parseDemoArgs(args)).toEqual({ fault });
  });
});
