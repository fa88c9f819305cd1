import {
  streaming,
  unary,
  type Credential,
  type RequiredRoles,
  type ServedService,
} from '@starr/doctor-host';
import type { Log } from '@starr/telemetry';
import {
  applyPlanEventToProto,
  approvePlanRequestFromProto,
  dateFromProto,
  doctorCatalogToProto,
  healthToProto,
  incidentDetailToProto,
  incidentViewToProto,
  OrchestratorServiceService,
  planRemedyEventToProto,
  planRemedyRequestFromProto,
  planViewToProto,
  playbooksToProto,
  sweepEventToProto,
  sweepRequestFromProto,
  traceSpanToProto,
  type OrchestratorServiceServer,
} from '@starr/wire';
import { actorOf, personFrom } from '../caller.ts';
import type { Orchestrator } from '../orchestrator.ts';

const NAME = 'starr.orchestrator.v1.OrchestratorService';

const ROLES = {
  Sweep: 'viewer',
  GetIncident: 'viewer',
  ListIncidents: 'viewer',
  ResolveIncident: 'operator',
  GetPlan: 'viewer',
  ListPlans: 'viewer',
  PlanRemedy: 'operator',
  UndoPlan: 'operator',
  ApprovePlan: 'operator',
  ApplyPlan: 'operator',
  CheckHealth: 'viewer',
  DescribeCatalog: 'viewer',
  AcceptState: 'operator',
  RevokeState: 'operator',
  CheckPlaybooks: 'viewer',
  GetTrace: 'viewer',
} as const;

/** The orchestrator as a gRPC service: map in, call, map out. */
export function orchestratorService(
  orchestrator: Orchestrator,
  credentials: readonly Credential[],
  log: Log,
): ServedService {
  const implementation: OrchestratorServiceServer = {
    ...planRpcs(orchestrator, credentials, log),
    ...incidentRpcs(orchestrator, credentials, log),
    ...statusRpcs(orchestrator, credentials, log),
    sweep: streaming(log, async function* (request, { signal, metadata }) {
      const person = personFrom(actorOf(metadata, credentials));
      for await (const event of orchestrator.sweep(sweepRequestFromProto(request), person, signal))
        yield sweepEventToProto(event);
    }),
  };
  const roles: RequiredRoles = Object.fromEntries(
    Object.entries(ROLES).map(([rpc, role]) => [`/${NAME}/${rpc}`, role]),
  );
  return { name: NAME, definition: OrchestratorServiceService, implementation, roles };
}

type PlanRpcs = 'planRemedy' | 'undoPlan' | 'approvePlan' | 'applyPlan' | 'getPlan' | 'listPlans';

function planRpcs(
  orchestrator: Orchestrator,
  credentials: readonly Credential[],
  log: Log,
): Pick<OrchestratorServiceServer, PlanRpcs> {
  return {
    planRemedy: streaming(log, async function* (request, { signal, metadata }) {
      const actor = actorOf(metadata, credentials);
      const wanted = planRemedyRequestFromProto(request);
      for await (const event of orchestrator.planRemedy(wanted, actor, signal))
        yield planRemedyEventToProto(event);
    }),
    undoPlan: streaming(log, async function* (request, { signal, metadata }) {
      const actor = actorOf(metadata, credentials);
      for await (const event of orchestrator.undoPlan(request.plan, actor, signal))
        yield planRemedyEventToProto(event);
    }),
    approvePlan: unary(log, async (request, { metadata }) => {
      const actor = actorOf(metadata, credentials);
      const plan = await orchestrator.approvePlan(approvePlanRequestFromProto(request), actor);
      return { plan: planViewToProto(plan) };
    }),
    applyPlan: streaming(log, async function* ({ plan, hash }, { signal, metadata }) {
      const actor = actorOf(metadata, credentials);
      for await (const event of orchestrator.applyPlan(plan, hash, actor, signal))
        yield applyPlanEventToProto(event);
    }),
    getPlan: unary(log, async ({ plan }) => ({
      plan: planViewToProto(await orchestrator.getPlan(plan)),
    })),
    listPlans: unary(log, async ({ incident, pageSize }) => ({
      plans: (await orchestrator.listPlans(incident, pageSize)).map(planViewToProto),
    })),
  };
}

type IncidentRpcs =
  'getIncident' | 'listIncidents' | 'resolveIncident' | 'acceptState' | 'revokeState';

function incidentRpcs(
  orchestrator: Orchestrator,
  credentials: readonly Credential[],
  log: Log,
): Pick<OrchestratorServiceServer, IncidentRpcs> {
  return {
    getIncident: unary(log, async ({ incident }) =>
      incidentDetailToProto(await orchestrator.getIncident(incident)),
    ),
    listIncidents: unary(log, async ({ pageSize, pageToken }) => {
      const page = await orchestrator.listIncidents(pageSize, pageToken);
      return {
        incidents: page.incidents.map(incidentViewToProto),
        nextPageToken: page.nextPageToken,
      };
    }),
    resolveIncident: unary(log, async ({ incident, reason }, { metadata }) => {
      const actor = actorOf(metadata, credentials);
      const resolved = await orchestrator.resolveIncident(incident, reason, actor);
      return { incident: incidentViewToProto(resolved) };
    }),
    acceptState: unary(log, async ({ diagnostic, target, until, reason }, { metadata }) => {
      const moment = until ? dateFromProto(until) : new Date(Number.NaN);
      const state = { diagnostic, target, until: moment, reason };
      await orchestrator.acceptState(state, actorOf(metadata, credentials));
      return {};
    }),
    revokeState: unary(log, async (request, { metadata }) => ({
      wasInForce: await orchestrator.revokeState(request, actorOf(metadata, credentials)),
    })),
  };
}

type StatusRpcs = 'checkHealth' | 'describeCatalog' | 'checkPlaybooks' | 'getTrace';

function statusRpcs(
  orchestrator: Orchestrator,
  credentials: readonly Credential[],
  log: Log,
): Pick<OrchestratorServiceServer, StatusRpcs> {
  return {
    checkHealth: unary(log, async (_request, { signal, metadata }) => {
      const person = personFrom(actorOf(metadata, credentials));
      return healthToProto(await orchestrator.checkHealth(person, signal));
    }),
    describeCatalog: unary(log, async () => ({
      doctors: (await orchestrator.describeCatalog()).map(doctorCatalogToProto),
    })),
    checkPlaybooks: unary(log, async () => playbooksToProto(await orchestrator.checkPlaybooks())),
    getTrace: unary(log, async ({ traceId }, { signal }) => ({
      spans: (await orchestrator.getTrace(traceId, signal)).map(traceSpanToProto),
    })),
  };
}
