import {
  context,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Link,
  type Span,
} from '@opentelemetry/api';

export interface SpanOptions {
  readonly attributes?: Attributes;
  readonly links?: readonly Link[];
  readonly kind?: SpanKind;
  /** Begin a trace of its own. */
  readonly root?: boolean;
  /** Absent: the active context. */
  readonly parent?: Context;
}

/** Runs `work` inside a span that ends with it; a thrown error marks the span and goes on. */
export async function inSpan<T>(
  name: string,
  options: SpanOptions,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const parent = options.parent ?? context.active();
  const span = startSpan(name, options);
  try {
    return await context.with(trace.setSpan(parent, span), () => work(span));
  } catch (error) {
    failSpan(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** A span that the caller ends. */
export function startSpan(name: string, options: SpanOptions = {}): Span {
  const { attributes = {}, links = [], kind = SpanKind.INTERNAL, root = false } = options;
  return trace
    .getTracer('starr')
    .startSpan(
      name,
      { attributes, links: [...links], kind, root },
      options.parent ?? context.active(),
    );
}

/** ERROR means that it failed to run, never that it found something. */
export function failSpan(span: Span, error: unknown): void {
  span.setStatus({
    code: SpanStatusCode.ERROR,
    message: error instanceof Error ? error.message : 'failed',
  });
}

/** The trace id of a span in hex; undefined when nothing records. */
export function traceIdOf(span: Span): string | undefined {
  const { traceId } = span.spanContext();
  return /^0+$/.test(traceId) ? undefined : traceId;
}
