import { describe, expect, it } from '@jest/globals';
import { slicesOf } from '../reads/trace-sample.ts';
import { LOOK, NOW, spanOf, spansOf } from '../test/span-of.ts';
import { entriesByService, requestsOf } from './requests.ts';

const SLICES = slicesOf(LOOK);

describe('slicesOf', () => {
  it('begins with a minute and doubles back to the begin of the window', () => {
    expect(SLICES.map(({ fromMs, toMs }) => (toMs - fromMs) / 1000)).toEqual([
      60, 60, 120, 240, 480, 840,
    ]);
    expect(SLICES[0]?.toMs).toBe(NOW.getTime());
    expect(SLICES.at(-1)?.fromMs).toBe(NOW.getTime() - LOOK.windowMs);
  });

  it('is the window itself when that is short', () => {
    expect(slicesOf({ ...LOOK, windowMs: 5000 })).toEqual([
      { fromMs: NOW.getTime() - 5000, toMs: NOW.getTime() },
    ]);
  });
});

describe('entriesByService', () => {
  it('counts requests and messages, not calls and not probes', () => {
    const spans = [
      spanOf({ name: 'POST /checkout' }),
      spanOf({ kind: 'consumer', name: 'orders process', service: 'worker' }),
      spanOf({ kind: 'client' }),
      spanOf({ kind: 'internal' }),
      ...[
        'GET /healthz',
        'GET /health',
        '/readyz',
        'GET /metrics',
        'grpc.health.v1.Health/Check',
      ].map((name) => spanOf({ name })),
    ];
    expect(
      [...entriesByService(spans)].map(([service, entries]) => [service, entries.length]),
    ).toEqual([
      ['checkout', 1],
      ['worker', 1],
    ]);
  });

  it('keeps operations that only look like probes', () => {
    const names = ['GET /healthcare', 'POST /shipping', 'GET /metrics/daily'];
    expect(entriesByService(names.map((name) => spanOf({ name }))).get('checkout')).toHaveLength(3);
  });
});

describe('requestsOf', () => {
  it('takes the newest slice when it holds enough', () => {
    const requests = requestsOf(
      [...spansOf(20), ...spansOf(5, { fromAgoMs: 300_000, toAgoMs: 200_000 })],
      SLICES,
      20,
    );
    expect(requests).toMatchObject({ recentMs: 60_000 });
    expect([requests?.recent.length, requests?.earlier.length]).toEqual([20, 5]);
  });

  it('reaches further back for a quiet service', () => {
    const requests = requestsOf(
      [...spansOf(19), ...spansOf(5, { fromAgoMs: 230_000, toAgoMs: 200_000 })],
      SLICES,
      20,
    );
    expect(requests?.recentMs).toBe(240_000);
    expect([requests?.recent.length, requests?.earlier.length]).toEqual([24, 0]);
  });

  it('gives nothing when the whole window holds too few, or they lie outside it', () => {
    expect(requestsOf(spansOf(19), SLICES, 20)).toBeUndefined();
    expect(
      requestsOf(spansOf(30, { fromAgoMs: 3_600_000, toAgoMs: 3_000_000 }), SLICES, 20),
    ).toBeUndefined();
  });
});
