import { describe, expect, it } from '@jest/globals';
import { FaultSwitch, parseFaults } from './faults.ts';

describe('parsing faults', () => {
  it.each([
    ['', []],
    ['errors', [{ name: 'errors', amount: 120 }]],
    [
      'leak-connections:3,slow-query',
      [
        { name: 'leak-connections', amount: 3 },
        { name: 'slow-query', amount: 2000 },
      ],
    ],
    ['forgotten-transaction', [{ name: 'forgotten-transaction', amount: 1 }]],
    ['unindexed-look:7', [{ name: 'unindexed-look', amount: 7 }]],
    ['static-pool:1', [{ name: 'static-pool', amount: 1 }]],
    ['static-pool:1000', [{ name: 'static-pool', amount: 1000 }]],
  ])('reads "%s"', (text, faults) => {
    expect(parseFaults(text)).toEqual({ kind: 'valid', faults });
  });

  it.each([
    ['leaks', '"leaks" is not a fault; there are leak-connections, slow-query,'],
    ['toString', '"toString" is not a fault'],
    ['static-pool:0', 'static-pool takes 1 to 1000 connections'],
    ['static-pool:1001', 'static-pool takes 1 to 1000 connections'],
    ['slow-query:fast', 'slow-query takes 1 to 60000 ms'],
    ['slow-query:', 'slow-query takes 1 to 60000 ms'],
    ['errors:1.5', 'errors takes 1 to 6000 lines a minute'],
  ])('says what is wrong with "%s"', (text, problem) => {
    expect(parseFaults(text)).toMatchObject({
      kind: 'invalid',
      problem: expect.stringContaining(problem) as unknown,
    });
  });
});

describe('the fault switch', () => {
  it('tells its listeners of each change and of nothing else', () => {
    const faults = new FaultSwitch();
    const heard: string[] = [];
    faults.onSwitch(({ name, amount }, is) => heard.push(`${name}:${amount} ${is}`));
    faults.turnOff('errors');
    faults.turnOn({ name: 'errors', amount: 5 });
    faults.turnOn({ name: 'errors', amount: 5 });
    faults.turnOn({ name: 'errors', amount: 6 });
    expect(faults.amount('errors')).toBe(6);
    faults.turnOff('errors');
    expect(faults.amount('errors')).toBeUndefined();
    expect(heard).toEqual(['errors:5 on', 'errors:5 off', 'errors:6 on', 'errors:6 off']);
    expect(faults.list()).toEqual([]);
  });
});
