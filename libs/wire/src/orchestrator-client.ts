import type { ChannelCredentials, Interceptor } from '@grpc/grpc-js';
import { DoctorError } from '@starr/kernel';
import { callStream, callUnary, type UnaryMethod } from './call.ts';
import { OrchestratorServiceClient } from './gen/starr/orchestrator/v1/orchestrator.ts';
import type { Plan } from './gen/starr/orchestrator/v1/plan.ts';
import { dateToProto } from './moment.mapping.ts';
import { applyPlanEventFromProto } from './orchestrator-apply.mapping.ts';
import {
  approvePlanRequestToProto,
  planRemedyEventFromProto,
  planRemedyRequestToProto,
  planViewFromProto,
} from './orchestrator-plan.mapping.ts';
import {
  doctorCatalogFromProto,
  healthFromProto,
  playbooksFromProto,
  traceSpanFromProto,
} from './orchestrator-status.mapping.ts';
import {
  incidentDetailFromProto,
  incidentViewFromProto,
  sweepEventFromProto,
  sweepRequestToProto,
} from './orchestrator-sweep.mapping.ts';
import type {
  AcceptStateRequest,
  ApplyPlanEvent,
  ApprovePlanRequest,
  DoctorCatalogView,
  HealthView,
  IncidentDetail,
  IncidentView,
  PlanRemedyEvent,
  PlanRemedyRequest,
  PlanView,
  PlaybooksView,
  SweepEvent,
  SweepRequest,
  TraceSpanView,
} from './orchestrator.ts';

export interface OrchestratorClientOptions {
  /** host:port */
  readonly address: string;
  readonly credentials: ChannelCredentials;
  /** Trace context, bearer token, actor … in this order. */
  readonly interceptors?: readonly Interceptor[];
  /** For unary calls; default 10000. */
  readonly timeoutMs?: number;
}

/** The orchestrator as its callers see it. Fails with DoctorError. Owns its channel; `close` ends it. */
export interface OrchestratorClient {
  sweep(request: SweepRequest, signal: AbortSignal): AsyncIterable<SweepEvent>;
  getIncident(incident: string): Promise<IncidentDetail>;
  listIncidents(
    pageSize: number,
    pageToken?: string,
  ): Promise<{ incidents: readonly IncidentView[]; nextPageToken: string }>;
  resolveIncident(incident: string, reason: string): Promise<void>;
  getPlan(plan: string): Promise<PlanView>;
  /** Absent incident: the newest of all. */
  listPlans(incident?: string): Promise<readonly PlanView[]>;
  planRemedy(request: PlanRemedyRequest, signal: AbortSignal): AsyncIterable<PlanRemedyEvent>;
  undoPlan(plan: string, signal: AbortSignal): AsyncIterable<PlanRemedyEvent>;
  approvePlan(request: ApprovePlanRequest): Promise<PlanView>;
  /** Leaving detaches; the plan goes on. */
  applyPlan(plan: string, hash: string, signal: AbortSignal): AsyncIterable<ApplyPlanEvent>;
  checkHealth(): Promise<HealthView>;
  describeCatalog(): Promise<readonly DoctorCatalogView[]>;
  acceptState(request: AcceptStateRequest): Promise<void>;
  /** False: none was in force. */
  revokeState(diagnostic: string, target: string): Promise<boolean>;
  checkPlaybooks(): Promise<PlaybooksView>;
  getTrace(traceId: string): Promise<readonly TraceSpanView[]>;
  close(): void;
}

const DEFAULT_BUDGET_MS = 4000;
/** What a sweep takes beside the budget of its examinations. */
const SWEEP_GRACE_MS = 5000;
const PLAN_TIMEOUT_MS = 15_000;
const APPLY_TIMEOUT_MS = 4 * 3_600_000;

export function createOrchestratorClient(options: OrchestratorClientOptions): OrchestratorClient {
  const client = new OrchestratorServiceClient(options.address, options.credentials, {
    interceptors: [...(options.interceptors ?? [])],
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1000,
  });
  const timeoutMs = options.timeoutMs ?? 10_000;
  const ask = <Req, Res>(method: UnaryMethod<Req, Res>, request: Req): Promise<Res> =>
    callUnary(method, request, { timeoutMs });
  return {
    ...sweeping(client),
    ...planning(client),
    ...reading(client, ask),
    approvePlan: async (request) =>
      needPlan(
        (await ask(client.approvePlan.bind(client), approvePlanRequestToProto(request))).plan,
      ),
    resolveIncident: async (incident, reason) => {
      await ask(client.resolveIncident.bind(client), { incident, reason });
    },
    acceptState: async ({ until, ...state }) => {
      await ask(client.acceptState.bind(client), { ...state, until: dateToProto(until) });
    },
    revokeState: async (diagnostic, target) =>
      (await ask(client.revokeState.bind(client), { diagnostic, target })).wasInForce,
    close: () => {
      client.close();
    },
  };
}

function sweeping(client: OrchestratorServiceClient): Pick<OrchestratorClient, 'sweep'> {
  return {
    async *sweep(request, signal) {
      const limits = {
        timeoutMs: (request.budgetMs ?? DEFAULT_BUDGET_MS) + SWEEP_GRACE_MS,
        signal,
      };
      const method = client.sweep.bind(client);
      for await (const response of callStream(method, sweepRequestToProto(request), limits)) {
        const event = sweepEventFromProto(response);
        if (event) yield event;
      }
    },
  };
}

function planning(
  client: OrchestratorServiceClient,
): Pick<OrchestratorClient, 'planRemedy' | 'undoPlan' | 'applyPlan'> {
  return {
    async *planRemedy(request, signal) {
      const limits = { timeoutMs: PLAN_TIMEOUT_MS, signal };
      const method = client.planRemedy.bind(client);
      for await (const response of callStream(method, planRemedyRequestToProto(request), limits)) {
        const event = planRemedyEventFromProto(response);
        if (event) yield event;
      }
    },
    async *undoPlan(plan, signal) {
      const limits = { timeoutMs: PLAN_TIMEOUT_MS, signal };
      for await (const response of callStream(client.undoPlan.bind(client), { plan }, limits)) {
        const event = planRemedyEventFromProto(response);
        if (event) yield event;
      }
    },
    async *applyPlan(plan, hash, signal) {
      const limits = { timeoutMs: APPLY_TIMEOUT_MS, signal };
      const method = client.applyPlan.bind(client);
      for await (const response of callStream(method, { plan, hash }, limits)) {
        const event = applyPlanEventFromProto(response);
        if (event) yield event;
      }
    },
  };
}

type Ask = <Req, Res>(method: UnaryMethod<Req, Res>, request: Req) => Promise<Res>;
type Reading =
  | 'getIncident'
  | 'listIncidents'
  | 'getPlan'
  | 'listPlans'
  | 'checkHealth'
  | 'describeCatalog'
  | 'checkPlaybooks'
  | 'getTrace';

function reading(client: OrchestratorServiceClient, ask: Ask): Pick<OrchestratorClient, Reading> {
  return {
    getIncident: async (incident) => {
      const detail = incidentDetailFromProto(
        await ask(client.getIncident.bind(client), { incident }),
      );
      if (!detail) throw malformed('an incident');
      return detail;
    },
    listIncidents: async (pageSize, pageToken = '') => {
      const response = await ask(client.listIncidents.bind(client), { pageSize, pageToken });
      return {
        incidents: response.incidents.map(incidentViewFromProto),
        nextPageToken: response.nextPageToken,
      };
    },
    getPlan: async (plan) => needPlan((await ask(client.getPlan.bind(client), { plan })).plan),
    listPlans: async (incident = '') => {
      const response = await ask(client.listPlans.bind(client), { incident, pageSize: 200 });
      return response.plans.map(planViewFromProto);
    },
    checkHealth: async () => healthFromProto(await ask(client.checkHealth.bind(client), {})),
    describeCatalog: async () => {
      const response = await ask(client.describeCatalog.bind(client), {});
      return response.doctors.map(doctorCatalogFromProto);
    },
    checkPlaybooks: async () =>
      playbooksFromProto(await ask(client.checkPlaybooks.bind(client), {})),
    getTrace: async (traceId) => {
      const response = await ask(client.getTrace.bind(client), { traceId });
      return response.spans.map(traceSpanFromProto);
    },
  };
}

function needPlan(plan: Plan | undefined): PlanView {
  if (!plan) throw malformed('a plan');
  return planViewFromProto(plan);
}

function malformed(what: string): DoctorError {
  return new DoctorError('EVIDENCE_MALFORMED', {
    message: `the orchestrator answered without ${what}`,
  });
}
