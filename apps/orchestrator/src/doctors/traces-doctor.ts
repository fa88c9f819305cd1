import type { JaegerTargetConfig } from '@starr/config';
import { createDoctor } from '@starr/doctor-host';
import { createJaegerAdapter, fetchTrace, jaegerCatalog } from '@starr/jaeger';
import type { Log } from '@starr/telemetry';
import type { TraceReader } from '../status/read-trace.ts';
import type { RosterMember } from './doctor-roster.ts';

/** The one doctor without a process of its own: Jaeger's address is no credential of a patient. */
export interface TracesDoctor {
  readonly member: RosterMember;
  readonly reader: TraceReader;
  close(): Promise<void>;
}

/** Traces through the same contract as everything else, without a wire between. */
export function createTracesDoctor(target: JaegerTargetConfig, log: Log): TracesDoctor {
  const { name, url, services, thresholds } = target;
  const adapter = createJaegerAdapter({ url });
  const doctor = createDoctor({
    name: 'traces-doctor',
    catalog: jaegerCatalog,
    targets: [
      {
        name,
        kind: 'jaeger',
        adapter,
        acts: false,
        options: { services },
        ...(thresholds && { thresholds }),
      },
    ],
    // Traces are history themselves.
    sampler: 'off',
    log,
  });
  return {
    member: { name: 'traces-doctor', prefixes: ['traces.'], doctor },
    reader: (traceId, signal) => fetchTrace({ url }, traceId, { signal }),
    close: () => doctor.close(),
  };
}
