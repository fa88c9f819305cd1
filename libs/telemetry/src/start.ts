import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace';
import { LateExporter } from './late-exporter.ts';

export interface TelemetryOptions {
  /** service.name in every span. */
  readonly service: string;
  /** OTLP over gRPC, such as http://127.0.0.1:4317. Absent: spans are made, so that ids are known, but go nowhere. */
  readonly otlpUrl?: string | undefined;
}

export interface Telemetry {
  /** Sends what is pending, within its own bound; never fails. A process that ends without it loses its last spans. */
  stop(): Promise<void>;
}

const FLUSH_TIMEOUT_MS = 2000;

/**
 * Starts tracing for this process: our spans, W3C context over the wire; drivers' spans where drivers.ts is loaded too.
 * gRPC spans come from this library's own interceptors: the contributed ones leave a stream's span open when
 * its client cancels. What sends the spans is loaded when there are some: it costs a command more than its work does.
 */
export function startTelemetry(options: TelemetryOptions): Telemetry {
  const processors = options.otlpUrl === undefined ? [] : exportTo(options.otlpUrl);
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': options.service }),
    spanProcessors: processors,
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  return {
    stop: async () => {
      const timeout = new Promise<void>((resolve) => setTimeout(resolve, FLUSH_TIMEOUT_MS).unref());
      // A Jaeger that is away must not fail or hold whoever ends.
      await Promise.race([provider.shutdown().catch(() => undefined), timeout]);
    },
  };
}

function exportTo(url: string): SpanProcessor[] {
  const exporter = new LateExporter({ url, timeoutMillis: FLUSH_TIMEOUT_MS });
  const batch = new BatchSpanProcessor({
    exporter,
    scheduledDelayMillis: 250,
    maxQueueSize: 8192,
    exportTimeoutMillis: FLUSH_TIMEOUT_MS,
  });
  return [exporter.loadedWithFirstSpan(), batch];
}
