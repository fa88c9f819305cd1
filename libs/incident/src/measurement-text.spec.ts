import { describe, expect, it } from '@jest/globals';
import { measurementText, measurementWords } from './measurement-text.ts';

describe('measurementText', () => {
  it.each([
    [0, 'count', '0'],
    [93, 'count', '93'],
    [1167, undefined, '1167'],
    [0.95, 'ratio', '95 %'],
    [0.0021, 'ratio', '0.21 %'],
    [0.8766, 'ratio', '87.7 %'],
    [20_000, 'ms', '20 s'],
    [300, 'ms', '300 ms'],
    [12.34, 'per-minute', '12.3/min'],
    [0.5, 'per-second', '0.5/s'],
    [1023, 'bytes', '1023 B'],
    [1024, 'bytes', '1 KiB'],
    [-1536, 'bytes', '-1.5 KiB'],
    [3 * 1024 ** 4, 'bytes', '3 TiB'],
    [5000 * 1024 ** 4, 'bytes', '5000 TiB'],
    [503, 'status', '503 status'],
    [Number.POSITIVE_INFINITY, 'count', 'Infinity'],
    [Number.NaN, 'ratio', 'NaN %'],
  ])('%p in %p reads %j', (value, unit, text) => {
    expect(measurementText(value, unit)).toBe(text);
  });
});

describe('measurementWords', () => {
  it.each([
    ['usedSlots', 'used slots'],
    ['useRatio', 'use ratio'],
    ['longestActiveMs', 'longest active'],
    ['usedBytes', 'used'],
    ['depth', 'depth'],
  ])('%s reads %j', (name, words) => {
    expect(measurementWords(name)).toBe(words);
  });
});
