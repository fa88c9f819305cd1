import {
  isPartial,
  statusOf,
  type CheckResult,
  type CheckStatus,
  type ExamineRequest,
  type Verdict,
} from '@starr/kernel';
import * as pb from './gen/starr/doctor/v1/doctor.ts';
import {
  dateFromProto,
  dateToProto,
  durationFromProto,
  durationToProto,
} from './moment.mapping.ts';
import {
  measurementFromProto,
  measurementToProto,
  relationFromProto,
  relationToProto,
} from './values.mapping.ts';
import {
  blindSpotFromProto,
  blindSpotToProto,
  changeFromProto,
  changeToProto,
  findingFromProto,
  findingToProto,
} from './verdict.mapping.ts';

export const DEFAULT_WINDOW_MS = 30 * 60_000;
export const DEFAULT_BUDGET_MS = 4000;

const STATUS = {
  found: pb.CheckStatus.CHECK_STATUS_FOUND,
  blind: pb.CheckStatus.CHECK_STATUS_BLIND,
  healthy: pb.CheckStatus.CHECK_STATUS_HEALTHY,
} as const satisfies Record<CheckStatus, pb.CheckStatus>;

export function examineRequestToProto(request: ExamineRequest): pb.ExamineRequest {
  const thresholds = Object.entries(request.thresholds ?? {}).flatMap(([diagnostic, values]) =>
    Object.entries(values).map(([threshold, value]) => ({ diagnostic, threshold, value })),
  );
  return {
    targets: [...(request.targets ?? [])],
    diagnostics: [...(request.diagnostics ?? [])],
    window: durationToProto(request.windowMs),
    budget: durationToProto(request.budgetMs),
    thresholds,
    evidenceNotBefore: request.evidenceNotBefore && dateToProto(request.evidenceNotBefore),
  };
}

export function examineRequestFromProto(request: pb.ExamineRequest): ExamineRequest {
  // Names come from the wire: on plain objects one of them would be __proto__.
  const thresholds = bare<Record<string, number>>();
  for (const { diagnostic, threshold, value } of request.thresholds) {
    (thresholds[diagnostic] ??= bare<number>())[threshold] = value;
  }
  return {
    targets: request.targets,
    diagnostics: request.diagnostics,
    thresholds,
    windowMs: request.window ? durationFromProto(request.window) : DEFAULT_WINDOW_MS,
    budgetMs: request.budget ? durationFromProto(request.budget) : DEFAULT_BUDGET_MS,
    ...(request.evidenceNotBefore && {
      evidenceNotBefore: dateFromProto(request.evidenceNotBefore),
    }),
  };
}

function bare<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>;
}

export function checkResultToProto(result: CheckResult): pb.ExamineResponse {
  const { verdict } = result;
  return {
    diagnostic: result.diagnostic,
    target: result.target,
    status: STATUS[statusOf(verdict)],
    partial: isPartial(verdict),
    measured: verdict.measured.map(measurementToProto),
    findings: (verdict.findings ?? []).map(findingToProto),
    changes: (verdict.changes ?? []).map(changeToProto),
    blind: (verdict.blind ?? []).map(blindSpotToProto),
    relations: result.relations.map(relationToProto),
    observedFrom: dateToProto(result.observedFrom),
    observedTo: dateToProto(result.observedTo),
    thresholds: { ...result.thresholds },
    clockSkewMs: result.clockSkewMs,
    historySince: result.historySince && dateToProto(result.historySince),
    footprint: { ...result.footprint },
    spanId: result.spanId ?? '',
  };
}

export function checkResultFromProto(result: pb.ExamineResponse): CheckResult {
  const observedTo = result.observedTo ? dateFromProto(result.observedTo) : new Date(0);
  return {
    diagnostic: result.diagnostic,
    target: result.target,
    verdict: verdictFromProto(result),
    relations: result.relations.map(relationFromProto),
    observedFrom: result.observedFrom ? dateFromProto(result.observedFrom) : observedTo,
    observedTo,
    thresholds: result.thresholds,
    footprint: result.footprint,
    ...(result.clockSkewMs !== undefined && { clockSkewMs: result.clockSkewMs }),
    ...(result.historySince && { historySince: dateFromProto(result.historySince) }),
    ...(result.spanId !== '' && { spanId: result.spanId }),
  };
}

/** The status is derived again from what came; one that we do not know, with nothing that would decide it, stays blind. */
function verdictFromProto(result: pb.ExamineResponse): Verdict {
  const known = Object.values(STATUS).some((status) => status === result.status);
  const findings = result.findings.map(findingFromProto);
  const blind = result.blind.map(blindSpotFromProto);
  if (!known) {
    blind.push({
      kind: 'blind',
      why: 'unsupported',
      detail: `the doctor sent status ${result.status}, which is not known here`,
    });
    return { measured: [], findings, blind };
  }
  return {
    measured: result.measured.map(measurementFromProto),
    findings,
    changes: result.changes.map(changeFromProto),
    blind,
  };
}
