import { describe, expect, it } from '@jest/globals';
import { parseBenchArgs } from './options.ts';

describe('arguments of the benchmark', () => {
  it('measure everything in ten rounds without arguments', () => {
    expect(parseBenchArgs([])).toEqual({
      rounds: 10,
      parts: new Set(['sweep', 'micro', 'postgres', 'policies']),
      withJaeger: true,
    });
  });

  it('choose rounds, a part and what is left out', () => {
    expect(parseBenchArgs(['--rounds', '3', '--only', 'sweep', '--without', 'jaeger'])).toEqual({
      rounds: 3,
      parts: new Set(['sweep']),
      withJaeger: false,
    });
  });

  it.each([
    [['--rounds', '2'], '--rounds is "2"; allowed: a number from 3'],
    [['--rounds', '3.5'], '--rounds is "3.5"; allowed: a number from 3'],
    [['--rounds'], '--rounds is ""; allowed: a number from 3'],
    [['--only', 'redis'], '--only is "redis"; allowed: sweep, micro, postgres, policies'],
    [['--without', 'redis'], '--without is "redis"; allowed: jaeger'],
  ])('refuse %j and say what is allowed', (args, fault) => {
    expect(parseBenchArgs(args)).toEqual({ fault });
  });

  it('refuse what is not known with the usage', () => {
    const answer = parseBenchArgs(['--fast']);
    expect('fault' in answer && answer.fault).toContain('allowed: --rounds, --only, --without');
  });
});
