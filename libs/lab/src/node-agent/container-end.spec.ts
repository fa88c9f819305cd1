import { describe, expect, it } from '@jest/globals';
import { endOfProcess, goDuration, isRestarted } from './container-end.ts';

describe('the end of a container', () => {
  it.each([
    [{ code: 0, signal: null }, false, { exitCode: 0, reason: 'Completed' }],
    [{ code: 1, signal: null }, false, { exitCode: 1, reason: 'Error' }],
    [{ code: null, signal: 'SIGTERM' as const }, false, { exitCode: 143, reason: 'Error' }],
    [{ code: null, signal: 'SIGKILL' as const }, false, { exitCode: 137, reason: 'Error' }],
    [{ code: null, signal: 'SIGKILL' as const }, true, { exitCode: 137, reason: 'OOMKilled' }],
  ])('%j, out of memory %s, is %j', (exit, isOutOfMemory, end) => {
    expect(endOfProcess(exit, isOutOfMemory)).toEqual(end);
  });

  it.each([
    ['Always' as const, 0, true],
    ['Always' as const, 1, true],
    [undefined, 0, true],
    ['OnFailure' as const, 0, false],
    ['OnFailure' as const, 1, true],
    ['Never' as const, 0, false],
    ['Never' as const, 1, false],
  ])('under %s and with exit code %d is followed by a start: %s', (policy, exitCode, expected) => {
    expect(isRestarted(policy, { exitCode })).toBe(expected);
  });

  it.each([
    [400, '0.4s'],
    [10_000, '10s'],
    [59_999, '59.999s'],
    [60_000, '1m0s'],
    [160_000, '2m40s'],
  ])('is waited out for %d ms, which Go prints as %s', (ms, text) => {
    expect(goDuration(ms)).toBe(text);
  });
});
