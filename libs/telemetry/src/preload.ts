import { register } from 'import-in-the-middle/register-hooks.mjs';

/**
 * `node --import @starr/telemetry/preload app.ts`: hooks the drivers before anybody imports them, then starts tracing
 * with the environment's own names. Without the hook there are no ioredis spans.
 */
register({ include: ['pg', 'pg-pool', 'ioredis'] });
const { traceDrivers } = await import('./drivers.ts');
const { startTelemetry } = await import('./start.ts');
const { setProcessTelemetry } = await import('./process-telemetry.ts');

const otlpUrl =
  process.env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ?? process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
setProcessTelemetry(
  startTelemetry({ service: process.env['OTEL_SERVICE_NAME'] ?? 'starr', otlpUrl }),
);
traceDrivers();
