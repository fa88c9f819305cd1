import { describe, expect, it } from '@jest/globals';
import { parseStat, parseTimes, processorMsOf, processorMsOfPids } from './processor-time.ts';

describe('processor time', () => {
  it('of a command is that of the children', () => {
    expect(parseTimes('0m0.010000s 0m0.020000s\n1m1.250000s 0m0.130000s\n')).toBe(61_380);
  });

  it('of a service skips its name, whatever is in it', () => {
    const stat = `42 (a) b) S 1 42 42 0 -1 4194560 100 0 0 0 12 3 9 9 20 0 11 0 100 1 1`;
    expect(parseStat(stat)).toBe(150);
  });

  it('is nothing where nothing is known', async () => {
    expect(parseStat('')).toBe(0);
    expect(await processorMsOfPids([])).toBe(0);
  });

  it('of a busy process is more than of one that sleeps', async () => {
    const busy = await processorMsOf({
      program: process.execPath,
      args: ['-e', 'for (const end = Date.now() + 300; Date.now() < end; );'],
    });
    const asleep = await processorMsOf({ program: 'sleep', args: ['0.3'] });
    expect(busy).toBeGreaterThan(asleep);
  });
});
