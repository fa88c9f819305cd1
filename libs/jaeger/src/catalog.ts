import type { Catalog } from '@starr/kernel';
import { tracesErrorRate } from './diagnostics/error-rate.ts';
import { tracesLatency } from './diagnostics/latency.ts';
import { tracesResolver } from './reads/trace-sample.ts';
import type { JaegerAct, JaegerRequest } from './request.ts';

/** What the traces in a Jaeger can be asked. */
export const jaegerCatalog: Catalog<JaegerRequest, JaegerAct> = {
  diagnostics: [tracesErrorRate, tracesLatency],
  remedies: [],
  resolvers: [tracesResolver],
};
