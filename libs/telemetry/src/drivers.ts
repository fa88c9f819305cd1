import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';

/** Drivers' spans (pg, ioredis, fetch) under ours. Must run before the drivers are imported (see preload.ts). */
export function traceDrivers(): void {
  registerInstrumentations({
    instrumentations: [
      // Values are never reported; connect spans would only repeat what the pool view says.
      new PgInstrumentation({ requireParentSpan: true, ignoreConnectSpans: true }),
      new IORedisInstrumentation({ requireParentSpan: true }),
      new UndiciInstrumentation({ requireParentforSpans: true }),
    ],
  });
}
