import { describe, expect, it } from '@jest/globals';
import { blindSpot, statusOf, type Verdict } from '@starr/kernel';
import type { SpanRecord } from '../spans/span-record.ts';
import type { TraceSample } from '../reads/trace-sample.ts';
import { limitsOf } from '../test/limits-of.ts';
import { LOOK, NOW, sampleOf, spanOf, spansOf } from '../test/span-of.ts';
import { tracesErrorRate } from './error-rate.ts';

const LIMITS = limitsOf(tracesErrorRate.thresholds);
const EARLIER = { fromAgoMs: 1_500_000, toAgoMs: 130_000 };

function judge(spans: readonly SpanRecord[], change: Partial<TraceSample> = {}): Verdict {
  return tracesErrorRate.judge({ traces: sampleOf(spans, change) }, LIMITS, LOOK);
}
const mixed = (well: number, failed: number, change: Partial<SpanRecord> = {}) => [
  ...spansOf(well, change),
  ...spansOf(failed, { ...change, isFailed: true }),
];
function measured(verdict: Verdict, name: string, about: string): number | undefined {
  return verdict.measured.find((one) => one.name === name && one.about.name === about)?.value;
}

describe('traces.error-rate', () => {
  it.each([
    [100, 0, []],
    [95, 5, []],
    [94, 6, ['warning']],
    [90, 10, ['warning']],
    [89, 11, ['critical']],
    [0, 100, ['critical']],
    [14, 5, []],
    [15, 5, ['critical']],
  ])('judges %d well and %d failed requests as %j', (well, failed, severities) => {
    const { findings = [] } = judge(mixed(well, failed));
    expect(findings.map(({ severity }) => severity)).toEqual(severities);
  });

  it('says what, since when, and compares with before', () => {
    const verdict = judge([
      ...spansOf(200, EARLIER),
      ...spansOf(30, { fromAgoMs: 55_000, toAgoMs: 40_000 }),
      ...spansOf(10, { fromAgoMs: 40_000, toAgoMs: 1000, isFailed: true }),
    ]);
    expect(verdict.findings).toMatchObject([
      {
        severity: 'critical',
        about: { kind: 'service', name: 'checkout' },
        says: 'checkout: 25 % of requests to POST /checkout failed in the last 60 s, 0 % before',
        since: new Date(NOW.getTime() - 40_000),
        involves: [{ kind: 'operation', name: 'checkout/POST /checkout' }],
      },
    ]);
    expect(measured(verdict, 'errorRatio', 'checkout')).toBe(0.25);
    expect(measured(verdict, 'earlierErrorRatio', 'checkout')).toBe(0);
  });

  it('has no onset for what was always so', () => {
    const [found] =
      judge([
        ...mixed(90, 30),
        ...spansOf(60, EARLIER),
        ...spansOf(20, { ...EARLIER, isFailed: true }),
      ]).findings ?? [];
    expect(found?.since).toBeUndefined();
    expect(found?.says).toContain('25 % before');
  });

  it('is well when only the past was ill', () => {
    const verdict = judge([...spansOf(40), ...spansOf(100, { ...EARLIER, isFailed: true })]);
    expect(statusOf(verdict)).toBe('healthy');
    expect(measured(verdict, 'earlierErrorRatio', 'checkout')).toBe(1);
  });

  it('does not let an operation hide behind others that are well', () => {
    const verdict = judge([
      ...spansOf(1000, { name: 'GET /cart' }),
      ...mixed(10, 20, { name: 'POST /pay' }),
    ]);
    expect(verdict.findings).toHaveLength(1);
    expect(verdict.findings?.[0]?.says).toContain('67 % of requests to POST /pay failed');
    expect(measured(verdict, 'errorRatio', 'checkout')).toBeLessThan(0.05);
    expect(measured(verdict, 'errorRatio', 'checkout/POST /pay')).toBeCloseTo(2 / 3);
  });

  it('measures operations that are well too, so that a recovery is seen, and names the ill alone', () => {
    const well = judge(spansOf(30, { name: 'POST /pay' }));
    expect(measured(well, 'errorRatio', 'checkout/POST /pay')).toBe(0);
    const [found] =
      judge([...spansOf(1000, { name: 'GET /cart' }), ...mixed(10, 20, { name: 'POST /pay' })])
        .findings ?? [];
    expect(found?.measured.map(({ about }) => about.name)).not.toContain('checkout/GET /cart');
  });

  it('finds many small operations that fail a little each', () => {
    const spans = Array.from({ length: 10 }, (_, index) => mixed(4, 1, { name: `op ${index}` }));
    const [found] = judge(spans.flat()).findings ?? [];
    expect(found?.says).toBe('checkout: 20 % of requests failed in the last 60 s');
  });

  it('names the service in which requests really fail, with a trace to look at', () => {
    const spans = Array.from({ length: 30 }, (_, index) => {
      const [traceId, isFailed] = [`trace-${index}`, index < 10];
      return [
        spanOf({ traceId, spanId: 'a', service: 'users', name: 'GET /', isFailed }),
        spanOf({
          traceId,
          spanId: 'b',
          parentSpanId: 'a',
          service: 'users',
          kind: 'client',
          isFailed,
        }),
        spanOf({ traceId, spanId: 'c', parentSpanId: 'b', isFailed }),
        spanOf({
          traceId,
          spanId: 'd',
          parentSpanId: 'c',
          kind: 'client',
          name: 'pg-pool.connect',
          isFailed,
          ...(isFailed ? { message: 'timeout acquiring client' } : {}),
        }),
      ];
    }).flat();
    const { findings = [] } = judge(spans);
    const users = findings.find(({ about }) => about.name === 'users');
    expect(users?.says).toMatch(/; 100 % of these failed in checkout$/);
    expect(users?.involves).toContainEqual({ kind: 'service', name: 'checkout' });
    expect(users?.rows).toEqual([
      {
        operation: 'GET /',
        failed: 10,
        failed_in: 'checkout/pg-pool.connect',
        message: 'timeout acquiring client',
        trace: 'trace-9',
      },
    ]);
    expect(findings.find(({ about }) => about.name === 'checkout')?.says).not.toContain(
      'failed in checkout',
    );
  });

  it('puts the worst service first', () => {
    const { findings = [] } = judge([
      ...mixed(80, 20, { service: 'a' }),
      ...mixed(20, 80, { service: 'b' }),
    ]);
    expect(findings.map(({ about }) => about.name)).toEqual(['b', 'a']);
  });

  it('measures nothing of a service with too few requests, and is not blind for it', () => {
    const verdict = judge([...spansOf(40), ...spansOf(19, { service: 'cron', isFailed: true })]);
    expect(statusOf(verdict)).toBe('healthy');
    expect(verdict.blind).toEqual([]);
    expect(measured(verdict, 'errorRatio', 'cron')).toBeUndefined();
  });

  it('is blind for a service of which there is more than was read', () => {
    const verdict = judge([...spansOf(40), ...spansOf(5, { service: 'cron' })], {
      sampled: new Set(['cron', 'checkout']),
    });
    expect(verdict.blind).toMatchObject([
      { why: 'truncated', detail: expect.stringContaining('requests of cron') as unknown },
    ]);
  });

  it('is blind when nothing came at all', () => {
    const verdict = judge([spanOf({ kind: 'client' })]);
    expect(statusOf(verdict)).toBe('blind');
    expect(verdict.blind).toMatchObject([{ why: 'no-history' }]);
  });

  it('is blind, and says why, when no service has enough requests', () => {
    const verdict = judge([...spansOf(19), ...spansOf(3, { service: 'cron' })]);
    expect(statusOf(verdict)).toBe('blind');
    expect(verdict.blind).toMatchObject([
      {
        why: 'no-history',
        detail: expect.stringContaining('fewer than 20 requests of') as unknown,
      },
    ]);
  });

  it('passes on what the read could not see', () => {
    const late = blindSpot('timeout', 'no answer');
    expect(judge(spansOf(40), { blind: [late] }).blind).toEqual([late]);
  });

  it('has measures for all that it measures, and only for these', () => {
    const all = judge([...mixed(20, 20), ...spansOf(30, EARLIER)]).measured.map(({ name }) => name);
    expect(new Set(all)).toEqual(new Set(Object.keys(tracesErrorRate.measures)));
  });
});
