import { DoctorError, type Doctor } from '@starr/kernel';
import type { Log } from '@starr/telemetry';
import {
  applyEventToProto,
  checkResultToProto,
  diagnosticToProto,
  DoctorServiceService,
  entityFromProto,
  examineRequestFromProto,
  planEventToProto,
  planRequestFromProto,
  probeResultToProto,
  relationToProto,
  remedyToProto,
  targetToProto,
  type DoctorServiceServer,
} from '@starr/wire';
import { streaming, unary } from '../handlers.ts';
import type { ServedService } from '../serve-grpc.ts';

const PATH = '/starr.doctor.v1.DoctorService';
const PAGE_SIZE = { standard: 100, most: 500 };

/** The Doctor port as a gRPC service. */
export function doctorService(doctor: Doctor, log: Log): ServedService {
  const implementation: DoctorServiceServer = {
    describe: unary(log, (request) => describePage(doctor, request)),
    examine: streaming(log, async function* (request, { signal }) {
      for await (const result of doctor.examine(examineRequestFromProto(request), signal))
        yield checkResultToProto(result);
    }),
    resolveEntities: unary(log, async (request, { signal }) => {
      const relations = await doctor.resolve(request.keys.map(entityFromProto), signal);
      return { relations: relations.map(relationToProto) };
    }),
    adviseGrants: unary(log, async (request, { signal }) => {
      const { language, diagnosing, acting, lacking } = await doctor.grants(request.target, signal);
      return { language, diagnosing: [...diagnosing], acting: [...acting], lacking: [...lacking] };
    }),
    planRemedy: streaming(log, async function* (request, { signal }) {
      for await (const event of doctor.plan(planRequestFromProto(request), signal))
        yield planEventToProto(event);
    }),
    applyOperation: streaming(log, async function* (request, { signal }) {
      for await (const event of doctor.apply(request, signal)) yield applyEventToProto(event);
    }),
    cancelOperation: unary(log, async (request) => {
      await doctor.cancel(request);
      return {};
    }),
    probeOperation: unary(log, async (request) => probeResultToProto(await doctor.probe(request))),
  };
  return {
    name: 'starr.doctor.v1.DoctorService',
    definition: DoctorServiceService,
    implementation,
    roles: {
      [`${PATH}/Describe`]: 'viewer',
      [`${PATH}/Examine`]: 'viewer',
      [`${PATH}/ResolveEntities`]: 'viewer',
      [`${PATH}/AdviseGrants`]: 'viewer',
      [`${PATH}/PlanRemedy`]: 'operator',
      [`${PATH}/ApplyOperation`]: 'operator',
      [`${PATH}/CancelOperation`]: 'operator',
      [`${PATH}/ProbeOperation`]: 'operator',
    },
  };
}

/** Diagnostics first, then remedies; the token is the index where the next page begins. */
async function describePage(doctor: Doctor, request: { pageSize: number; pageToken: string }) {
  const { name, targets, diagnostics, remedies } = await doctor.describe();
  const size = request.pageSize === 0 ? PAGE_SIZE.standard : request.pageSize;
  if (size < 1 || size > PAGE_SIZE.most)
    throw bad('page_size', String(request.pageSize), `0 to ${PAGE_SIZE.most}`);
  if (!/^\d{0,9}$/.test(request.pageToken))
    throw bad('page_token', request.pageToken, 'the next_page_token of the page before');
  const from = Number(request.pageToken);
  const to = from + size;
  return {
    name,
    targets: targets.map(targetToProto),
    diagnostics: diagnostics.slice(from, to).map(diagnosticToProto),
    remedies: remedies
      .slice(Math.max(0, from - diagnostics.length), Math.max(0, to - diagnostics.length))
      .map(remedyToProto),
    nextPageToken: to < diagnostics.length + remedies.length ? String(to) : '',
  };
}

function bad(field: string, received: string, allowed: string): DoctorError {
  const shown = received.slice(0, 64);
  return new DoctorError('WIRE_INVALID', {
    message: `${field} is ${JSON.stringify(shown)}; allowed: ${allowed}`,
    details: { field, received: shown, allowed },
  });
}
