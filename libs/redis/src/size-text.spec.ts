import { describe, expect, it } from '@jest/globals';
import { percentText, sizeText } from './size-text.ts';

describe('sizeText', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [1_572_864, '1.5 MB'],
    [104_857_600, '100 MB'],
    [25_769_803_776, '24 GB'],
    [-2048, '-2.0 kB'],
    [5e15, '4547 TB'],
  ])('writes %d as %s', (bytes, text) => {
    expect(sizeText(bytes)).toBe(text);
  });
});

describe('percentText', () => {
  it.each([
    [0, '0 %'],
    [0.0012, '0.1 %'],
    [0.934, '93 %'],
    [0.999, '99.9 %'],
    [1, '100 %'],
    [1.02, '102 %'],
  ])('writes %d as %s', (ratio, text) => {
    expect(percentText(ratio)).toBe(text);
  });
});
