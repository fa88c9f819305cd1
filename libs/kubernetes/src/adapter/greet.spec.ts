import { describe, expect, it } from '@jest/globals';
import { clockFrom } from './greet.ts';

const at = (ms: number) => new Date(Date.UTC(2026, 10, 24, 3, 5, 0) + ms);
const HEADER = at(0).toUTCString(); // whole seconds: anything from .000 to .999

describe('the clock of a server that tells whole seconds', () => {
  it.each<[string, number, number, Date]>([
    ['ours within its second: ours, which is finer', 100, 200, at(150)],
    ['ours at the very end of it', 998, 999, at(998.5)],
    ['asked before and answered within it', -50, 10, at(-20)],
    ['ours a second ahead: the middle of its second', 1000, 1010, at(500)],
    ['ours behind it', -100, -1, at(500)],
    ['ours an hour off', 3_600_000, 3_600_010, at(500)],
  ])('%s', (_what, asked, answered, expected) => {
    const clock = clockFrom(HEADER, at(asked).getTime(), at(answered).getTime());
    expect(clock.toISOString()).toBe(expected.toISOString());
  });

  it.each([[undefined], ['soon'], ['']])('is ours when it says %s', (header) => {
    expect(clockFrom(header, 1000, 2000)).toEqual(new Date(1500));
  });
});
