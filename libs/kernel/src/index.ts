/**
 * The words of Starr as types. Glossary: docs/architecture.md section 2.
 *
 * For everybody: errors, clock, durations, entities, values, masking.
 */
export { canonicalJson, type Json } from './json.ts';
export {
  textOfValue,
  type DurationValue,
  type MomentValue,
  type Row,
  type Value,
} from './value.ts';
export { entityKey, entityText, sameEntity, type Entity, type Relation } from './entity.ts';
export { ENTITY_KINDS, passageOf, type EntityKind, type Passage } from './entity-kinds.ts';
export {
  BLIND_REASONS,
  blindSpot,
  isBlindSpot,
  type BlindReason,
  type BlindSpot,
} from './blind-spot.ts';
export { blindFromError } from './blind-from-error.ts';
export { ERROR_CODES, isErrorCode, type ErrorCode, type ErrorCodeEntry } from './error-codes.ts';
export {
  DoctorError,
  isDoctorError,
  toDoctorError,
  type DoctorErrorOptions,
} from './doctor-error.ts';
export { systemClock, type Clock } from './clock.ts';
export { durationText, parseDurationMs } from './duration.ts';
export { maskSql, maskText } from './masking.ts';
export { EventLog } from './event-log.ts';
export type { JournalOutcome, PlanRole, PlanState } from './plan-state.ts';
export { hashJson } from './plan-hash.ts';
export { grantSchema, type Grant } from './grant.ts';

/* For those who write diagnostics and remedies. */
export type { Measurement, MeasurementSpec } from './measurement.ts';
export {
  isPartial,
  statusOf,
  type Change,
  type CheckStatus,
  type Finding,
  type Severity,
  type Verdict,
} from './verdict.ts';
export {
  optional,
  windowed,
  type Look,
  type Pair,
  type Read,
  type Reads,
  type Seen,
  type Wrap,
} from './read.ts';
export {
  defineDiagnostic,
  type AnyDiagnostic,
  type Diagnostic,
  type Limits,
  type Threshold,
  type Thresholds,
} from './diagnostic.ts';
export {
  defineRemedy,
  type AnyRemedy,
  type Effect,
  type Operation,
  type Plan,
  type PlanRefused,
  type Receipt,
  type Remedy,
} from './remedy.ts';
export type { Adapter, Greeting, Limit, Outcome, Probed, Progress } from './adapter.ts';
export type { Catalog, Resolver } from './catalog.ts';
export { defineGrantsAdvisor, type GrantsAdvice, type GrantsAdvisor } from './grants-advice.ts';

/* For those who host or call a doctor. */
export type {
  ApplyEvent,
  ApplyRequest,
  CheckResult,
  DiagnosticDescription,
  Doctor,
  DoctorDescription,
  ExamineRequest,
  Footprint,
  OperationEnd,
  PlanEvent,
  PlannedOperation,
  PlanRequest,
  ProbeResult,
  RemedyDescription,
  SealedOperation,
  SealedPlan,
  TargetDescription,
} from './doctor.ts';
