import { describe, expect, it } from '@jest/globals';
import { parseOtlp, parseRecords } from './parse-otlp.ts';

const SPAN = {
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  spanId: '00f067aa0ba902b7',
  parentSpanId: '00f067aa0ba902b6',
  name: 'POST /checkout',
  kind: 2,
  startTimeUnixNano: '1795513102134000500',
  endTimeUnixNano: '1795513102164250500',
  attributes: [{ key: 'http.response.status_code', value: { intValue: '200' } }],
  events: [{ name: 'retry' }],
  status: {},
};

function inScope(span: object, scope = 'shop', service = 'checkout'): unknown[] {
  return [
    {
      resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
      scopeSpans: [{ scope: { name: scope }, spans: [span] }],
    },
  ];
}

describe('parseOtlp', () => {
  it('reads a span; nanoseconds beyond a double keep their microseconds', () => {
    expect(parseOtlp(inScope(SPAN))).toEqual([
      {
        traceId: SPAN.traceId,
        spanId: SPAN.spanId,
        parentSpanId: SPAN.parentSpanId,
        service: 'checkout',
        name: 'POST /checkout',
        kind: 'server',
        startMs: 1_795_513_102_134,
        durationMs: 30.25,
        isFailed: false,
        scope: 'shop',
        attributes: { 'http.response.status_code': '200' },
        events: ['retry'],
      },
    ]);
  });

  it.each([
    ['an ERROR', { status: { code: 2 } }, true],
    ['an ERROR by name', { status: { code: 'STATUS_CODE_ERROR' } }, true],
    ['an unmarked 5xx', { attributes: [attribute('http.response.status_code', '503')] }, true],
    ['an unmarked 5xx of old', { attributes: [attribute('http.status_code', '500')] }, true],
    ['a 4xx', { attributes: [attribute('http.response.status_code', '404')] }, false],
    [
      'a 5xx that is OK',
      { status: { code: 1 }, attributes: [attribute('http.status_code', '500')] },
      false,
    ],
    ['nothing said', { attributes: [] }, false],
  ])('takes %s as failed: %s', (_, change, failed) => {
    expect(parseOtlp(inScope({ ...SPAN, ...change }))[0]?.isFailed).toBe(failed);
  });

  it.each([
    [3, 'client'],
    ['SPAN_KIND_CONSUMER', 'consumer'],
    ['producer', 'producer'],
    [99, 'unknown'],
    [undefined, 'unknown'],
  ])('reads the kind %j as %s', (kind, name) => {
    expect(parseOtlp(inScope({ ...SPAN, kind }))[0]?.kind).toBe(name);
  });

  it.each([[''], ['0000000000000000'], [undefined]])('takes the parent %j as none', (parent) => {
    expect(parseOtlp(inScope({ ...SPAN, parentSpanId: parent }))[0]).not.toHaveProperty(
      'parentSpanId',
    );
  });

  it.each([
    ['no trace id', { traceId: undefined }],
    ['no start', { startTimeUnixNano: undefined }],
    ['an end that is no number', { endTimeUnixNano: 'soon' }],
  ])('leaves out a span with %s and keeps the others', (_, change) => {
    const spans = [...inScope({ ...SPAN, ...change }), ...inScope(SPAN)];
    expect(parseOtlp(spans)).toHaveLength(1);
  });

  it('never has a span end before it began', () => {
    const early = { ...SPAN, endTimeUnixNano: '1' };
    expect(parseOtlp(inScope(early))[0]?.durationMs).toBe(0);
  });

  it.each([
    [null],
    ['<html>'],
    [[{}]],
    [[{ scopeSpans: 3 }]],
    [[{ scopeSpans: [{ spans: [null] }] }]],
  ])('survives %j', (resourceSpans) => {
    expect(parseOtlp(Array.isArray(resourceSpans) ? resourceSpans : [resourceSpans])).toEqual([]);
  });

  it('reads attributes of every type as text, masked', () => {
    const [span] = parseOtlp(
      inScope({
        ...SPAN,
        attributes: [
          attribute('user', 'jane@example.org'),
          { key: 'ok', value: { boolValue: true } },
          { key: 'share', value: { doubleValue: 0.5 } },
          {
            key: 'list',
            value: { arrayValue: { values: [{ stringValue: 'a' }, { intValue: '2' }] } },
          },
          { key: 'none', value: {} },
        ],
        status: { code: 2, message: 'password=hunter2 refused' },
      }),
    );
    expect(span?.attributes).toEqual({
      user: '***',
      ok: 'true',
      share: '0.5',
      list: 'a, 2',
      none: '',
    });
    expect(span?.message).toBe('password=*** refused');
  });
});

describe('parseRecords', () => {
  it("leaves Starr's own spans out", () => {
    const spans = [...inScope(SPAN, 'starr', 'db-doctor'), ...inScope(SPAN)];
    expect(parseRecords(spans).map(({ service }) => service)).toEqual(['checkout']);
  });

  it('reads what parseOtlp reads, without what is shown to people', () => {
    const failed = { ...SPAN, attributes: [attribute('http.status_code', '502')] };
    const [shown] = parseOtlp(inScope(failed));
    const [record] = parseRecords(inScope(failed));
    expect(record).not.toHaveProperty('attributes');
    expect(shown).toMatchObject({ ...record, isFailed: true });
  });
});

function attribute(key: string, text: string): unknown {
  return { key, value: { stringValue: text } };
}
