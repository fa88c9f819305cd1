import { describe, expect, it } from '@jest/globals';
import { isBlindSpot } from '@starr/kernel';
import type { RawSearch, RawTraces } from '../request.ts';
import { LOOK, sampleOf, spanOf } from '../test/span-of.ts';
import { tracesRead, type TraceSample } from './trace-sample.ts';

const resourceSpans = (traces: readonly string[]): unknown[] => [
  {
    resource: { attributes: [{ key: 'service.name', value: { stringValue: 'checkout' } }] },
    scopeSpans: [
      {
        spans: traces.map((traceId) => ({
          traceId,
          spanId: '00f067aa0ba902b7',
          name: 'a',
          kind: 2,
          startTimeUnixNano: '1',
          endTimeUnixNano: '2',
        })),
      },
    ],
  },
];
const seen = (traces: readonly string[], slice = 0): RawSearch => ({
  service: 'checkout',
  slice,
  answer: { state: 'seen', resourceSpans: resourceSpans(traces) },
});
const failed = (slice: number, says = 'jaeger:16686: no answer within 3000 ms'): RawSearch => ({
  service: 'checkout',
  slice,
  answer: { state: 'failed', code: 'EVIDENCE_TIMEOUT', says, cure: 'wait' },
});
const raw = (searches: readonly RawSearch[], rest: Partial<RawTraces> = {}): RawTraces => ({
  services: ['checkout'],
  unknown: [],
  leftOut: 0,
  searches,
  ...rest,
});
function parse(value: RawTraces): TraceSample {
  const sample = tracesRead.parse(value, LOOK);
  if (isBlindSpot(sample)) throw new Error(sample.detail);
  return sample;
}

describe('tracesRead', () => {
  it('asks for all services, or for those of the target', () => {
    expect(tracesRead.request(LOOK)).toMatchObject({ services: [], tracesPerSearch: 100 });
    expect(tracesRead.request({ ...LOOK, options: { services: ['checkout', 7] } })).toMatchObject({
      services: ['checkout'],
    });
  });

  it('counts a span once that several searches bring', () => {
    expect(parse(raw([seen(['aa', 'bb']), seen(['bb', 'cc'], 1)])).spans).toHaveLength(3);
  });

  it.each([
    [99, []],
    [100, ['checkout']],
  ])('with %d traces in a slice there are more of %j', (count, services) => {
    const traces = Array.from({ length: count }, (_, index) => `t${index}`);
    expect([...parse(raw([seen(traces)])).sampled]).toEqual(services);
  });

  it('goes on with what it saw when a search fails, and says so once', () => {
    const sample = parse(raw([seen(['aa']), failed(1), failed(2)]));
    expect(sample.spans).toHaveLength(1);
    expect(sample.blind).toMatchObject([
      { why: 'timeout', detail: 'jaeger:16686: no answer within 3000 ms', cure: 'wait' },
    ]);
  });

  it('is blind when every search failed', () => {
    expect(tracesRead.parse(raw([failed(0), failed(1)]), LOOK)).toMatchObject({
      kind: 'blind',
      why: 'timeout',
    });
  });

  it('says which configured service is unknown, and that services were left out', () => {
    const sample = parse(raw([seen(['aa'])], { unknown: ['chekcout'], leftOut: 3 }));
    expect(sample.blind).toMatchObject([
      { why: 'no-history', detail: 'Jaeger has no traces of chekcout' },
      { why: 'truncated', detail: expect.stringContaining('3 services were left out') as unknown },
    ]);
  });

  it('relates operations to services, and services to those that they call', () => {
    const spans = [
      spanOf({ traceId: 't', spanId: 'a', service: 'web', name: 'GET /' }),
      spanOf({ traceId: 't', spanId: 'b', parentSpanId: 'a', service: 'web', kind: 'client' }),
      spanOf({
        traceId: 't',
        spanId: 'c',
        parentSpanId: 'b',
        service: 'checkout',
        name: 'POST /pay',
      }),
      spanOf({
        traceId: 't',
        spanId: 'd',
        parentSpanId: 'c',
        service: 'worker',
        kind: 'consumer',
        name: 'mail',
      }),
      spanOf({
        traceId: 'u',
        spanId: 'e',
        parentSpanId: 'b',
        service: 'checkout',
        name: 'POST /pay',
      }),
    ];
    const service = (name: string) => ({ kind: 'service', name });
    const operation = (name: string) => ({ kind: 'operation', name });
    expect(tracesRead.relate?.(sampleOf(spans), LOOK)).toEqual([
      { from: operation('web/GET /'), is: 'of', to: service('web') },
      { from: operation('checkout/POST /pay'), is: 'of', to: service('checkout') },
      { from: service('web'), is: 'calls', to: service('checkout') },
      { from: operation('worker/mail'), is: 'of', to: service('worker') },
    ]);
  });
});
