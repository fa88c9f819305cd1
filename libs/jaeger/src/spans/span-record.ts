/** What the diagnostics use of a span. */
export interface SpanRecord {
  readonly traceId: string;
  readonly spanId: string;
  /** Absent: a root. */
  readonly parentSpanId?: string;
  readonly service: string;
  readonly name: string;
  readonly kind: SpanKind;
  /** Since the epoch, with fractions. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly isFailed: boolean;
  /** What the span's status says of its failure, masked. */
  readonly message?: string;
}

export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer' | 'unknown';

/** A request or a message that reached a service: what its users feel. */
export function isEntry({ kind }: SpanRecord): boolean {
  return kind === 'server' || kind === 'consumer';
}
