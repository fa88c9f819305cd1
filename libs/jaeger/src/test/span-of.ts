import type { Look } from '@starr/kernel';
import type { SpanRecord } from '../spans/span-record.ts';
import { slicesOf, type TraceSample } from '../reads/trace-sample.ts';

export const NOW = new Date('2026-11-24T03:12:08.000Z');

export const LOOK: Look = {
  now: NOW,
  windowMs: 1_800_000,
  version: '',
  target: 'jaeger',
  options: {},
};

let made = 0;

/** A request to checkout, a second ago, that went well; with what a test changes about it. */
export function spanOf(change: Partial<SpanRecord> & { readonly agoMs?: number } = {}): SpanRecord {
  const { agoMs = 1000, ...rest } = change;
  made += 1;
  return {
    traceId: String(made).padStart(32, '0'),
    spanId: String(made).padStart(16, '0'),
    service: 'checkout',
    name: 'POST /checkout',
    kind: 'server',
    startMs: NOW.getTime() - agoMs,
    durationMs: 20,
    isFailed: false,
    ...rest,
  };
}

/** So many alike, evenly over a stretch of time. */
export function spansOf(
  count: number,
  change: Partial<SpanRecord> & { readonly fromAgoMs?: number; readonly toAgoMs?: number } = {},
): readonly SpanRecord[] {
  const { fromAgoMs = 50_000, toAgoMs = 1000, ...rest } = change;
  return Array.from({ length: count }, (_, index) =>
    spanOf({ ...rest, agoMs: fromAgoMs - ((fromAgoMs - toAgoMs) * index) / Math.max(1, count) }),
  );
}

export function sampleOf(
  spans: readonly SpanRecord[],
  change: Partial<TraceSample> = {},
  look: Look = LOOK,
): TraceSample {
  return {
    slices: slicesOf(look),
    services: [...new Set(spans.map(({ service }) => service))],
    spans,
    sampled: new Set(),
    blind: [],
    ...change,
  };
}
