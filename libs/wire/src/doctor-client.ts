import type { ChannelCredentials, Interceptor } from '@grpc/grpc-js';
import type {
  DiagnosticDescription,
  Doctor,
  DoctorDescription,
  ExamineRequest,
  RemedyDescription,
  TargetDescription,
} from '@starr/kernel';
import { callStream, callUnary } from './call.ts';
import { diagnosticFromProto, remedyFromProto, targetFromProto } from './catalog.mapping.ts';
import { checkResultFromProto, examineRequestToProto } from './check-result.mapping.ts';
import { DoctorServiceClient } from './gen/starr/doctor/v1/doctor.ts';
import {
  applyEventFromProto,
  planEventFromProto,
  planRequestToProto,
  probeResultFromProto,
} from './plan.mapping.ts';
import { entityToProto, relationFromProto } from './values.mapping.ts';

export interface DoctorClientOptions {
  /** host:port */
  readonly address: string;
  readonly credentials: ChannelCredentials;
  /** Trace context, bearer token … in this order. */
  readonly interceptors?: readonly Interceptor[];
  /** For unary calls and planning; default 5000. */
  readonly timeoutMs?: number;
  /** How long one act may be followed; default 1 hour. The act goes on after it. */
  readonly applyTimeoutMs?: number;
}

/** Grace for the way back, so that a doctor that answers just in time is heard. */
const GRACE_MS = 500;
const MAX_PAGES = 50;

/** A doctor on the other side of a wire. Owns its channel; `close` ends it. */
export function createDoctorClient(options: DoctorClientOptions): Doctor & { close(): void } {
  const client = new DoctorServiceClient(options.address, options.credentials, {
    interceptors: [...(options.interceptors ?? [])],
    // A doctor that was restarted is found again by the next sweep, not after minutes of backoff.
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 250,
  });
  return {
    ...looking(client, options.timeoutMs ?? 5000),
    ...acting(client, options.timeoutMs ?? 5000, options.applyTimeoutMs ?? 3_600_000),
    close: () => {
      client.close();
    },
  };
}

function looking(
  client: DoctorServiceClient,
  timeoutMs: number,
): Pick<Doctor, 'describe' | 'examine' | 'resolve' | 'grants'> {
  return {
    describe: () => describeAll(client, timeoutMs),
    async *examine(request: ExamineRequest, signal) {
      const limits = { timeoutMs: request.budgetMs + GRACE_MS, signal };
      const stream = callStream(
        client.examine.bind(client),
        examineRequestToProto(request),
        limits,
      );
      for await (const result of stream) yield checkResultFromProto(result);
    },
    async resolve(keys, signal) {
      const request = { keys: keys.map(entityToProto) };
      const response = await callUnary(client.resolveEntities.bind(client), request, {
        timeoutMs,
        signal,
      });
      return response.relations.map(relationFromProto);
    },
    grants: (target, signal) =>
      callUnary(client.adviseGrants.bind(client), { target }, { timeoutMs, signal }),
  };
}

function acting(
  client: DoctorServiceClient,
  timeoutMs: number,
  applyTimeoutMs: number,
): Pick<Doctor, 'plan' | 'apply' | 'cancel' | 'probe'> {
  return {
    async *plan(request, signal) {
      const limits = { timeoutMs: 2 * timeoutMs, signal };
      const stream = callStream(
        client.planRemedy.bind(client),
        planRequestToProto(request),
        limits,
      );
      for await (const response of stream) {
        const event = planEventFromProto(response);
        if (event) yield event;
      }
    },
    async *apply(request, signal) {
      const limits = { timeoutMs: applyTimeoutMs, signal };
      for await (const response of callStream(
        client.applyOperation.bind(client),
        { ...request },
        limits,
      )) {
        const event = applyEventFromProto(response);
        if (event) yield event;
      }
    },
    async cancel(operation) {
      await callUnary(client.cancelOperation.bind(client), { ...operation }, { timeoutMs });
    },
    async probe(operation) {
      const limits = { timeoutMs: 2 * timeoutMs };
      return probeResultFromProto(
        await callUnary(client.probeOperation.bind(client), { ...operation }, limits),
      );
    },
  };
}

async function describeAll(
  client: DoctorServiceClient,
  timeoutMs: number,
): Promise<DoctorDescription> {
  const diagnostics: DiagnosticDescription[] = [];
  const remedies: RemedyDescription[] = [];
  let targets: TargetDescription[] = [];
  let name = '';
  let pageToken = '';
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const response = await callUnary(
      client.describe.bind(client),
      { pageSize: 200, pageToken },
      { timeoutMs },
    );
    name = response.name;
    targets = response.targets.map(targetFromProto);
    diagnostics.push(...response.diagnostics.map(diagnosticFromProto));
    remedies.push(...response.remedies.map(remedyFromProto));
    pageToken = response.nextPageToken;
    if (pageToken === '') break;
  }
  return { name, targets, diagnostics, remedies };
}
