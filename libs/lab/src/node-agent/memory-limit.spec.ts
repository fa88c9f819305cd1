import { describe, expect, it } from '@jest/globals';
import { parseQuantity } from './memory-limit.ts';

describe('a Kubernetes quantity', () => {
  it.each([
    ['0', 0],
    ['512', 512],
    ['1Ki', 1024],
    ['128Mi', 134_217_728],
    ['1.5Gi', 1_610_612_736],
    ['2G', 2e9],
    ['1e3', 1000],
    ['500m', 0.5],
  ])('%s is %d', (text, value) => {
    expect(parseQuantity(text)).toBe(value);
  });

  it.each(['', 'Mi', '12Xi', '-1', '1 Mi'])('"%s" is none', (text) => {
    expect(parseQuantity(text)).toBeUndefined();
  });
});
