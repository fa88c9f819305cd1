import type { Clock } from '@starr/kernel';
import type { Opener, Store } from '@starr/store';
import type { Log } from '@starr/telemetry';
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
} from '@starr/wire';
import { acceptState, revokeState } from './accept-state.ts';
import type { DoctorRoster } from './doctors/doctor-roster.ts';
import {
  checkPageSize,
  listIncidents,
  readIncident,
  resolveIncident,
} from './incidents/read-incidents.ts';
import { needStore } from './need-store.ts';
import { approvePlan } from './plans/approve-plan.ts';
import { checkReason } from './plans/check-reason.ts';
import type { PlanContext } from './plans/plan-context.ts';
import { findPlan, planRemedy } from './plans/plan-remedy.ts';
import { PlanRuns } from './plans/plan-runs.ts';
import { planViews } from './plans/plan-view.ts';
import { undoPlan } from './plans/undo-plan.ts';
import type { LoadedPlaybooks } from './playbooks/load-playbooks.ts';
import { checkHealth } from './status/check-health.ts';
import { checkPlaybooks } from './status/check-playbooks.ts';
import { describeCatalog } from './status/describe-catalog.ts';
import { findTraceId } from './status/find-trace-id.ts';
import { readTrace, type TraceReader } from './status/read-trace.ts';
import type { SweepBounds, SweepContext } from './sweep/sweep-run.ts';
import { SharedSweeps } from './sweep/shared-sweeps.ts';

export interface OrchestratorParts {
  readonly environment: string;
  readonly roster: DoctorRoster;
  /** Absent: none is configured. */
  readonly store: Store | undefined;
  readonly plans: PlanContext;
  readonly loadPlaybooks: () => Promise<LoadedPlaybooks>;
  /** Absent: no Jaeger is configured. */
  readonly traces: TraceReader | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly bounds?: Partial<SweepBounds>;
  readonly onEnded?: NonNullable<SweepContext['onEnded']>;
}

/** All that the services of this process offer, whatever leads to them. */
export class Orchestrator {
  readonly environment: string;
  readonly sweeps: SharedSweeps;
  readonly runs: PlanRuns;
  readonly #parts: OrchestratorParts;

  constructor(parts: OrchestratorParts) {
    this.#parts = parts;
    this.environment = parts.environment;
    this.sweeps = new SharedSweeps(parts);
    this.runs = new PlanRuns(parts.plans);
  }

  get store(): Store | undefined {
    return this.#parts.store;
  }

  sweep(request: SweepRequest, requester: Opener, signal: AbortSignal): AsyncIterable<SweepEvent> {
    return this.sweeps.sweep(request, requester, signal);
  }

  planRemedy(
    request: PlanRemedyRequest,
    actor: string,
    signal: AbortSignal,
  ): AsyncIterable<PlanRemedyEvent> {
    return planRemedy(this.#parts.plans, request, actor, signal);
  }

  undoPlan(plan: string, actor: string, signal: AbortSignal): AsyncIterable<PlanRemedyEvent> {
    return undoPlan(this.#parts.plans, plan, actor, signal);
  }

  approvePlan(request: ApprovePlanRequest, actor: string): Promise<PlanView> {
    return approvePlan(this.#parts.plans, request, actor);
  }

  applyPlan(
    plan: string,
    hash: string,
    actor: string,
    signal: AbortSignal,
  ): AsyncIterable<ApplyPlanEvent> {
    return this.runs.apply(plan, hash, actor, signal);
  }

  async getPlan(id: string): Promise<PlanView> {
    const plan = await findPlan(this.#parts.plans, id);
    const [view] = await planViews(needStore(this.store), [plan]);
    if (view === undefined) throw new TypeError('a plan without a view');
    return view;
  }

  async listPlans(incident: string, pageSize: number): Promise<readonly PlanView[]> {
    const store = needStore(this.store);
    const count = checkPageSize(pageSize);
    const plans = await store.plans.list(incident === '' ? undefined : incident, count);
    return planViews(store, plans);
  }

  async getIncident(id: string): Promise<IncidentDetail> {
    return readIncident(needStore(this.store), id);
  }

  async listIncidents(
    pageSize: number,
    pageToken: string,
  ): Promise<{ incidents: readonly IncidentView[]; nextPageToken: string }> {
    return listIncidents(needStore(this.store), pageSize, pageToken);
  }

  async resolveIncident(id: string, reason: string, actor: string): Promise<IncidentView> {
    return resolveIncident(needStore(this.store), id, checkReason(reason), actor);
  }

  async acceptState(request: AcceptStateRequest, actor: string): Promise<void> {
    await acceptState(needStore(this.store), this.#parts, request, actor);
  }

  async revokeState(
    request: { diagnostic: string; target: string },
    actor: string,
  ): Promise<boolean> {
    return revokeState(needStore(this.store), request, actor);
  }

  checkHealth(requester: Opener, signal: AbortSignal): Promise<HealthView> {
    const sweep = (until: AbortSignal) => this.sweep({}, requester, until);
    return checkHealth({ ...this.#parts, sweep }, signal);
  }

  describeCatalog(): Promise<readonly DoctorCatalogView[]> {
    return describeCatalog(this.#parts.roster);
  }

  checkPlaybooks(): Promise<PlaybooksView> {
    return checkPlaybooks(this.#parts.roster, this.#parts.loadPlaybooks);
  }

  async getTrace(text: string, signal: AbortSignal): Promise<readonly TraceSpanView[]> {
    const traceId = await findTraceId(this.store, this.environment, text);
    return readTrace(this.#parts.traces, traceId, signal);
  }
}
