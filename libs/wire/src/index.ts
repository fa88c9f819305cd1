/* For services and clients. */
export { createDoctorClient, type DoctorClientOptions } from './doctor-client.ts';
export {
  callStream,
  callUnary,
  type CallLimits,
  type StreamMethod,
  type UnaryMethod,
} from './call.ts';
export { bearerTokenInterceptor } from './bearer-token.ts';
export { errorFromStatus, statusFromError } from './status.ts';
export { DoctorServiceService, type DoctorServiceServer } from './gen/starr/doctor/v1/doctor.ts';
export {
  OrchestratorServiceService,
  type OrchestratorServiceServer,
} from './gen/starr/orchestrator/v1/orchestrator.ts';
export {
  createOrchestratorClient,
  type OrchestratorClient,
  type OrchestratorClientOptions,
} from './orchestrator-client.ts';
export { readDescriptorFiles } from './descriptor-set.ts';

/* What db-doctor shows beyond its verdicts. */
export { createDbClient, type DbClient } from './db-client.ts';
export { DbServiceService, type DbServiceServer } from './gen/starr/db/v1/db.ts';
export { lockForestFromProto, lockForestToProto } from './lock-forest.mapping.ts';
export type {
  LockForestView,
  LockNodeView,
  LockSessionView,
  LockWaitView,
  PreparedTransactionView,
} from './lock-forest.ts';

/* Mapping between the kernel's words and messages. */
export {
  DEFAULT_BUDGET_MS,
  DEFAULT_WINDOW_MS,
  checkResultFromProto,
  checkResultToProto,
  examineRequestFromProto,
  examineRequestToProto,
} from './check-result.mapping.ts';
export {
  diagnosticFromProto,
  diagnosticToProto,
  remedyFromProto,
  remedyToProto,
  targetFromProto,
  targetToProto,
} from './catalog.mapping.ts';
export {
  applyEventFromProto,
  applyEventToProto,
  effectFromProto,
  effectToProto,
  planEventFromProto,
  planEventToProto,
  planRequestFromProto,
  planRequestToProto,
  probeResultFromProto,
  probeResultToProto,
  sealedPlanFromProto,
  sealedPlanToProto,
} from './plan.mapping.ts';
export {
  dateFromProto,
  dateToProto,
  durationFromProto,
  durationToProto,
  momentFromProto,
  momentToProto,
} from './moment.mapping.ts';
export {
  columnsFromProto,
  columnsToProto,
  entityFromProto,
  entityToProto,
  measurementFromProto,
  measurementToProto,
  relationFromProto,
  relationToProto,
  valueFromProto,
  valueToProto,
} from './values.mapping.ts';
export {
  blindSpotFromProto,
  blindSpotToProto,
  changeFromProto,
  changeToProto,
  findingFromProto,
  findingToProto,
} from './verdict.mapping.ts';

/* Attached processes. */
export type {
  CommandEnd,
  ProcessCommand,
  ProcessIdentity,
  ProcessMessage,
  ProcessReport,
  ServiceMessage,
  ShownProcess,
} from './attach-messages.ts';
export {
  processMessageFromProto,
  processMessageToProto,
  serviceMessageFromProto,
  serviceMessageToProto,
  shownProcessFromProto,
  shownProcessToProto,
} from './resilience.mapping.ts';
export {
  ResilienceServiceClient,
  ResilienceServiceService,
  type AttachRequest,
  type AttachResponse,
  type ResilienceServiceServer,
} from './gen/starr/resilience/v1/resilience.ts';

/* What the orchestrator and its clients speak of, and its mapping. */
export type {
  AcceptStateRequest,
  AnswerView,
  ApplyPlanEvent,
  ApprovalView,
  ApprovePlanRequest,
  CauseView,
  DoctorCatalogView,
  EffectStateName,
  ExpectedCheck,
  HealthView,
  IncidentDetail,
  IncidentView,
  JournalEntryView,
  OperationMove,
  PlanRemedyEvent,
  PlanRemedyRequest,
  PlanView,
  PlaybooksView,
  PlaybookStateView,
  ProposedPlanView,
  ServiceHealthView,
  SweepEvent,
  SweepRequest,
  SweepStarted,
  TargetHealthView,
  TraceSpanView,
} from './orchestrator.ts';
export { applyPlanEventFromProto, applyPlanEventToProto } from './orchestrator-apply.mapping.ts';
export {
  approvePlanRequestFromProto,
  approvePlanRequestToProto,
  planRemedyEventFromProto,
  planRemedyEventToProto,
  planRemedyRequestFromProto,
  planRemedyRequestToProto,
  planViewFromProto,
  planViewToProto,
} from './orchestrator-plan.mapping.ts';
export {
  doctorCatalogFromProto,
  doctorCatalogToProto,
  healthFromProto,
  healthToProto,
  playbooksFromProto,
  playbooksToProto,
  traceSpanFromProto,
  traceSpanToProto,
} from './orchestrator-status.mapping.ts';
export {
  answerViewFromProto,
  answerViewToProto,
  incidentDetailFromProto,
  incidentDetailToProto,
  incidentViewFromProto,
  incidentViewToProto,
  sweepEventFromProto,
  sweepEventToProto,
  sweepRequestFromProto,
  sweepRequestToProto,
} from './orchestrator-sweep.mapping.ts';
