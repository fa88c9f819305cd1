import { describe, expect, it } from '@jest/globals';
import { spanOf } from '../test/span-of.ts';
import { failingBeneath, treeOf } from './failing-beneath.ts';
import type { SpanRecord } from './span-record.ts';

const request = spanOf({ spanId: 'a', traceId: 't', service: 'web', isFailed: true });
const below = (change: Partial<SpanRecord>): SpanRecord =>
  spanOf({ traceId: 't', isFailed: true, ...change });

describe('failingBeneath', () => {
  it('is the request itself when nothing below it failed', () => {
    const child = below({ spanId: 'b', parentSpanId: 'a', isFailed: false });
    expect(failingBeneath(request, treeOf([request, child]))).toEqual({ deepest: request });
  });

  it('follows failed spans down, and names the first other service on the way', () => {
    const spans = [
      request,
      below({ spanId: 'b', parentSpanId: 'a', service: 'web', kind: 'client' }),
      below({ spanId: 'c', parentSpanId: 'b', service: 'checkout', kind: 'server' }),
      below({ spanId: 'd', parentSpanId: 'c', service: 'checkout', kind: 'client' }),
      below({ spanId: 'e', parentSpanId: 'd', service: 'payments', kind: 'server' }),
    ];
    expect(failingBeneath(request, treeOf(spans))).toEqual({
      deepest: spans[4],
      callee: 'checkout',
    });
  });

  it('prefers the failure that ended last: the one that was waited for', () => {
    const early = below({ spanId: 'b', parentSpanId: 'a', durationMs: 5, name: 'retried' });
    const late = below({ spanId: 'c', parentSpanId: 'a', durationMs: 500, name: 'given up' });
    expect(failingBeneath(request, treeOf([late, early])).deepest.name).toBe('given up');
  });

  it('keeps traces apart', () => {
    const foreign = spanOf({ traceId: 'other', parentSpanId: 'a', isFailed: true });
    expect(failingBeneath(request, treeOf([foreign])).deepest).toBe(request);
  });

  it('ends on spans that are their own ancestors', () => {
    const ring = [
      below({ spanId: 'b', parentSpanId: 'a' }),
      below({ spanId: 'a', parentSpanId: 'b' }),
    ];
    expect(failingBeneath(request, treeOf(ring)).deepest.spanId).toBe('b');
  });
});
