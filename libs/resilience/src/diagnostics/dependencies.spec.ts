import { describe, expect, it } from '@jest/globals';
import { statusOf } from '@starr/kernel';
import type { DependencyProbe } from '../request.ts';
import { limitsOf, lookOf } from '../test/seen.ts';
import { dependencies } from './dependencies.ts';

const limits = limitsOf(dependencies.thresholds);
const judge = (...probes: DependencyProbe[]) =>
  dependencies.judge({ probes, processes: [] }, limits, lookOf());
const answered = (status: number): DependencyProbe => ({
  name: 'payments',
  outcome: { kind: 'answered', status, answerMs: 12 },
});
const about = { kind: 'dependency', name: 'payments' };

describe('resilience.dependencies', () => {
  it.each([
    [200, 'healthy', undefined],
    [302, 'healthy', undefined],
    [399, 'healthy', undefined],
    [400, 'blind', 'unsupported'],
    [401, 'blind', 'denied'],
    [403, 'blind', 'denied'],
    [404, 'blind', 'unsupported'],
    [499, 'blind', 'unsupported'],
    [500, 'found', undefined],
    [503, 'found', undefined],
  ] as const)('reads status %p as %s', (status, expected, why) => {
    const verdict = judge(answered(status));
    expect(statusOf(verdict)).toBe(expected);
    expect(verdict.blind?.[0]?.why).toBe(why);
  });

  it('measures what it saw, also of one that fails', () => {
    expect(judge(answered(200)).measured).toEqual([
      { name: 'answered', about, value: 1, limit: 1 },
      { name: 'answerMs', about, value: 12 },
    ]);
    expect(judge(answered(500)).measured).toContainEqual({
      name: 'answered',
      about,
      value: 0,
      limit: 1,
    });
  });

  it('finds one that does not answer, with the reason', () => {
    const verdict = judge({
      name: 'payments',
      outcome: { kind: 'failed', why: 'ECONNREFUSED', attempts: 2 },
    });
    expect(verdict.findings).toMatchObject([
      {
        severity: 'critical',
        about,
        says: 'dependency payments does not answer: ECONNREFUSED, 2 attempts',
      },
    ]);
    expect(verdict.measured).toEqual([{ name: 'answered', about, value: 0, limit: 1 }]);
  });

  it('judges each by itself', () => {
    const verdict = judge(answered(200), {
      name: 'stock',
      outcome: { kind: 'failed', why: 'ENOTFOUND', attempts: 2 },
    });
    expect(verdict.findings?.map((finding) => finding.about.name)).toEqual(['stock']);
    expect(verdict.measured.map(({ about: { name } }) => name)).toContain('payments');
  });
});
