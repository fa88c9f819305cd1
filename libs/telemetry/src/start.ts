import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';

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
 * Starts tracing for this process: drivers' spans (pg, ioredis, fetch) under ours, W3C context over the wire.
 * gRPC spans come from this library's own interceptors: the contributed ones leave a stream's span open when
 * its client cancels. Must run before the drivers are imported (see preload.ts).
 */
export function startTelemetry(options: TelemetryOptions): Telemetry {
  const processors = options.otlpUrl === undefined ? [] : [exportTo(options.otlpUrl)];
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': options.service }),
    spanProcessors: processors,
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  registerInstrumentations({
    instrumentations: [
      // Values are never reported; connect spans would only repeat what the pool view says.
      new PgInstrumentation({ requireParentSpan: true, ignoreConnectSpans: true }),
      new IORedisInstrumentation({ requireParentSpan: true }),
      new UndiciInstrumentation({ requireParentforSpans: true }),
    ],
  });
  return {
    stop: async () => {
      const timeout = new Promise<void>((resolve) => setTimeout(resolve, FLUSH_TIMEOUT_MS).unref());
      // A Jaeger that is away must not fail or hold whoever ends.
      await Promise.race([provider.shutdown().catch(() => undefined), timeout]);
    },
  };
}

function exportTo(url: string): BatchSpanProcessor {
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: FLUSH_TIMEOUT_MS });
  return new BatchSpanProcessor({
    exporter,
    scheduledDelayMillis: 250,
    maxQueueSize: 8192,
    exportTimeoutMillis: FLUSH_TIMEOUT_MS,
  });
}
