/* For apps. */
export { jaegerCatalog } from './catalog.ts';
export { createJaegerAdapter } from './adapter/create-jaeger-adapter.ts';
export { fetchTrace, type TraceSpan } from './adapter/fetch-trace.ts';
export type { JaegerConfig } from './adapter/jaeger-config.ts';

/* For other libraries and for tests: what travels between catalog and adapter. */
export type { JaegerAct, JaegerRequest } from './request.ts';
