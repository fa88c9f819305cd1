import { describe, expect, it } from '@jest/globals';
import { parseUntil } from './accept.ts';
import { parseParams } from './plan.ts';
import { exitCode } from './sweep.ts';

describe('the exit code of a sweep', () => {
  it.each([
    ['nothing found, all seen', undefined, 0, 'finding', 0],
    ['a warning', 'warning', 0, 'finding', 1],
    ['a warning beside something unseen', 'warning', 3, 'finding', 1],
    ['nothing found, something unseen', undefined, 1, 'finding', 2],
    ['a warning where only critical fails', 'warning', 0, 'critical', 0],
    ['critical where only critical fails', 'critical', 0, 'critical', 1],
    ['critical where nothing fails', 'critical', 0, 'never', 0],
    ['unseen where nothing fails: still blind', undefined, 1, 'never', 2],
  ] as const)('%s', (_name, severity, blindChecks, failOn, code) => {
    expect(exitCode({ ...(severity && { severity }), blindChecks }, failOn)).toBe(code);
  });
});

describe('--until', () => {
  const now = new Date('2026-11-24T03:00:00Z');

  it('takes a span from now or a moment', () => {
    expect(parseUntil('8h', now).toISOString()).toBe('2026-11-24T11:00:00.000Z');
    expect(parseUntil('2026-12-01T08:00:00Z', now).toISOString()).toBe('2026-12-01T08:00:00.000Z');
  });

  it.each([undefined, '', 'soon', '0s', '2026-11-24T03:00:00Z', '2020-01-01'])(
    'refuses %j: it must be in the future',
    (text) => {
      expect(() => parseUntil(text, now)).toThrow(/allowed: a moment such as/);
    },
  );
});

describe('--param', () => {
  it('splits at the first equals sign, and takes an empty value', () => {
    expect(parseParams(['application=checkout', 'note=a=b', 'empty='])).toEqual({
      application: 'checkout',
      note: 'a=b',
      empty: '',
    });
  });

  it.each(['x', '=x', ''])('refuses %j', (text) => {
    expect(() => parseParams([text])).toThrow(/allowed: name=value/);
  });
});
