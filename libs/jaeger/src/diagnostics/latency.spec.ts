import { describe, expect, it } from '@jest/globals';
import { statusOf, type Verdict } from '@starr/kernel';
import type { SpanRecord } from '../spans/span-record.ts';
import { limitsOf } from '../test/limits-of.ts';
import { LOOK, NOW, sampleOf, spansOf } from '../test/span-of.ts';
import { tracesLatency } from './latency.ts';

const LIMITS = limitsOf(tracesLatency.thresholds);
const EARLIER = { fromAgoMs: 1_500_000, toAgoMs: 130_000 };

function judge(spans: readonly SpanRecord[]): Verdict {
  return tracesLatency.judge({ traces: sampleOf(spans) }, LIMITS, LOOK);
}
function measured(verdict: Verdict, name: string, about: string): number | undefined {
  return verdict.measured.find((one) => one.name === name && one.about.name === about)?.value;
}

describe('traces.latency', () => {
  it.each([
    ['at the bound', 100, 2000, []],
    ['above the bound', 100, 2000.1, ['critical']],
    ['one in twenty', 5, 9000, []],
    ['more than one in twenty', 6, 9000, ['warning']],
    ['half of them', 50, 9000, ['warning']],
    ['more than half', 51, 9000, ['critical']],
  ])('judges slow requests %s', (_, slow, durationMs, severities) => {
    const { findings = [] } = judge([...spansOf(100 - slow), ...spansOf(slow, { durationMs })]);
    expect(findings.map(({ severity }) => severity)).toEqual(severities);
  });

  it.each([
    [19, 'blind'],
    [20, 'found'],
  ])('with %d slow requests is %s', (count, status) => {
    const verdict = judge(spansOf(count, { durationMs: 5000 }));
    expect(verdict.findings).toHaveLength(status === 'found' ? 1 : 0);
    expect(verdict.measured.length > 0).toBe(status === 'found');
  });

  it('measures services and operations, now and before, also when healthy', () => {
    const verdict = judge([
      ...spansOf(100, { durationMs: 30 }),
      ...spansOf(50, { ...EARLIER, durationMs: 10 }),
    ]);
    expect(statusOf(verdict)).toBe('healthy');
    for (const about of ['checkout', 'checkout/POST /checkout']) {
      expect(
        ['p50Ms', 'p95Ms', 'p99Ms', 'earlierP95Ms'].map((name) => measured(verdict, name, about)),
      ).toEqual([30, 30, 30, 10]);
    }
  });

  it('says what, since when, and compares with before', () => {
    const { findings = [] } = judge([
      ...spansOf(200, { ...EARLIER, durationMs: 40 }),
      ...spansOf(40, { fromAgoMs: 50_000, toAgoMs: 1000, durationMs: 3400 }),
    ]);
    expect(findings).toMatchObject([
      {
        severity: 'critical',
        about: { kind: 'operation', name: 'checkout/POST /checkout' },
        says: 'checkout POST /checkout: p95 3.4 s in the last 60 s, 40 ms before; median 3.4 s',
        since: new Date(NOW.getTime() - 50_000),
        involves: [{ kind: 'service', name: 'checkout' }],
      },
    ]);
    expect(findings[0]?.rows).toHaveLength(3);
    expect(findings[0]?.rows?.[0]).toMatchObject({ took: { durationMs: 3400 }, failed: false });
  });

  it('has measures for all that it measures, and only for these', () => {
    const all = judge([...spansOf(30), ...spansOf(30, EARLIER)]).measured.map(({ name }) => name);
    expect(new Set(all)).toEqual(new Set(Object.keys(tracesLatency.measures)));
  });
});
