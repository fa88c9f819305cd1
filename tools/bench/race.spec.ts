import { describe, expect, it } from '@jest/globals';
import { race } from './race.ts';

describe('a race', () => {
  it('runs each once a round, in turn, and does not count the first round', async () => {
    const order: string[] = [];
    const entrant = (name: string, values: readonly number[]) => {
      const rest = [...values];
      return () => {
        order.push(name);
        return Promise.resolve(rest.shift() ?? Number.NaN);
      };
    };
    const results = await race({ a: entrant('a', [999, 1, 3]), b: entrant('b', [999, 10, 20]) }, 2);
    expect(order.join('')).toBe('ababba');
    expect(results).toEqual({
      a: { runs: 2, median: 2, min: 1, max: 3 },
      b: { runs: 2, median: 15, min: 10, max: 20 },
    });
  });

  it('ends when one of them fails', async () => {
    const fails = () => Promise.reject(new Error('refused'));
    await expect(race({ fails }, 2)).rejects.toThrow('refused');
  });
});
