/* For apps. */
export { startTelemetry, type Telemetry, type TelemetryOptions } from './start.ts';
export { stopTelemetry } from './process-telemetry.ts';
export { tracingClientInterceptor } from './grpc-client.ts';
export { tracingServerInterceptor } from './grpc-server.ts';
export { createLog, type Log, type LogFields, type LogLevel } from './log.ts';

/* For other libraries. */
export { failSpan, inSpan, startSpan, traceIdOf, type SpanOptions } from './tracer.ts';
export { ATTRIBUTE, EVENT, SPAN } from './span-names.ts';
