import type { Severity } from '@starr/kernel';
import { checkResultFromProto, checkResultToProto } from './check-result.mapping.ts';
import type * as pb from './gen/starr/orchestrator/v1/incident.ts';
import { IncidentStatus } from './gen/starr/orchestrator/v1/incident.ts';
import type * as api from './gen/starr/orchestrator/v1/orchestrator.ts';
import {
  dateFromProto,
  dateToProto,
  durationFromProto,
  durationToProto,
} from './moment.mapping.ts';
import {
  planRoleFromProto,
  planRoleToProto,
  planViewFromProto,
  planViewToProto,
} from './orchestrator-plan.mapping.ts';
import type {
  AnswerView,
  IncidentDetail,
  IncidentView,
  SweepEvent,
  SweepRequest,
  SweepStarted,
} from './orchestrator.ts';
import { columnsFromProto, columnsToProto } from './values.mapping.ts';
import { severityFromProto, severityToProto } from './verdict.mapping.ts';

export function sweepRequestToProto(request: SweepRequest): api.SweepRequest {
  return {
    targets: [...(request.targets ?? [])],
    diagnostics: [...(request.diagnostics ?? [])],
    window: request.windowMs === undefined ? undefined : durationToProto(request.windowMs),
    budget: request.budgetMs === undefined ? undefined : durationToProto(request.budgetMs),
  };
}

export function sweepRequestFromProto(request: api.SweepRequest): SweepRequest {
  return {
    targets: request.targets,
    diagnostics: request.diagnostics,
    ...(request.window && { windowMs: durationFromProto(request.window) }),
    ...(request.budget && { budgetMs: durationFromProto(request.budget) }),
  };
}

export function sweepEventToProto(event: SweepEvent): api.SweepResponse {
  switch (event.kind) {
    case 'started':
      return { event: { $case: 'started', value: startedToProto(event) } };
    case 'check':
      return { event: { $case: 'check', value: checkResultToProto(event.result) } };
    case 'answer':
      return { event: { $case: 'answer', value: answerViewToProto(event.answer) } };
    case 'notice':
      return { event: { $case: 'notice', value: event.says } };
    case 'ended':
      return {
        event: {
          $case: 'ended',
          value: { took: durationToProto(event.tookMs), recorded: event.recorded },
        },
      };
  }
}

/** Absent: an event that this reader does not know. */
export function sweepEventFromProto(response: api.SweepResponse): SweepEvent | undefined {
  const { event } = response;
  switch (event?.$case) {
    case undefined:
      return undefined;
    case 'started':
      return startedFromProto(event.value);
    case 'check':
      return { kind: 'check', result: checkResultFromProto(event.value) };
    case 'answer':
      return { kind: 'answer', answer: answerViewFromProto(event.value) };
    case 'notice':
      return { kind: 'notice', says: event.value };
    case 'ended': {
      const { took, recorded } = event.value;
      return { kind: 'ended', tookMs: took ? durationFromProto(took) : 0, recorded };
    }
  }
}

function startedToProto(started: SweepStarted): api.SweepStarted {
  return {
    sweepId: started.sweepId,
    environment: started.environment,
    traceId: started.traceId ?? '',
    startedAt: dateToProto(started.startedAt),
    expected: started.expected.map((check) => ({ ...check })),
    joined: started.joined,
  };
}

function startedFromProto(started: api.SweepStarted): SweepStarted {
  return {
    kind: 'started',
    sweepId: started.sweepId,
    environment: started.environment,
    startedAt: started.startedAt ? dateFromProto(started.startedAt) : new Date(0),
    expected: started.expected,
    joined: started.joined,
    ...(started.traceId !== '' && { traceId: started.traceId }),
  };
}

export function answerViewToProto(answer: AnswerView): pb.Answer {
  return {
    incident: answer.incident ?? '',
    headline: answer.headline,
    severity: severityToProto(answer.severity),
    causes: answer.causes.map(({ isGrounded, severity, ...cause }) => ({
      ...cause,
      severity: severityToProto(severity),
      grounded: isGrounded,
    })),
    proposals: answer.proposals.map((proposal) => ({
      plan: proposal.plan ?? '',
      role: planRoleToProto(proposal.role),
      says: proposal.says,
      remedy: proposal.remedy,
      target: proposal.target,
      params: columnsToProto(proposal.params),
    })),
    unexplainedFindings: answer.unexplainedFindings,
    checks: answer.checks,
    blindChecks: answer.blindChecks,
    answerJson: answer.answerJson,
  };
}

export function answerViewFromProto(answer: pb.Answer): AnswerView {
  const severity = foundSeverity(answer.severity);
  return {
    headline: answer.headline,
    causes: answer.causes.map((cause) => ({
      playbook: cause.playbook,
      title: cause.title,
      severity: severityFromProto(cause.severity),
      explains: cause.explains,
      against: cause.against,
      isGrounded: cause.grounded,
      path: cause.path,
    })),
    proposals: answer.proposals.map((proposal) => ({
      role: planRoleFromProto(proposal.role),
      says: proposal.says,
      remedy: proposal.remedy,
      target: proposal.target,
      params: columnsFromProto(proposal.params),
      ...(proposal.plan !== '' && { plan: proposal.plan }),
    })),
    unexplainedFindings: answer.unexplainedFindings,
    checks: answer.checks,
    blindChecks: answer.blindChecks,
    answerJson: answer.answerJson,
    ...(answer.incident !== '' && { incident: answer.incident }),
    ...(severity !== undefined && { severity }),
  };
}

/** In an answer unspecified means that nothing was found. */
function foundSeverity(severity: pb.Answer['severity']): Severity | undefined {
  return severity === 0 ? undefined : severityFromProto(severity);
}

export function incidentViewToProto(incident: IncidentView): pb.Incident {
  return {
    id: incident.id,
    environment: incident.environment,
    title: incident.title,
    status:
      incident.status === 'open'
        ? IncidentStatus.INCIDENT_STATUS_OPEN
        : IncidentStatus.INCIDENT_STATUS_RESOLVED,
    openedBy: incident.openedBy,
    openedAt: dateToProto(incident.openedAt),
    seenAt: dateToProto(incident.seenAt),
    resolvedAt: incident.resolvedAt && dateToProto(incident.resolvedAt),
    sweeps: [...incident.sweeps],
  };
}

export function incidentViewFromProto(incident: pb.Incident): IncidentView {
  return {
    id: incident.id,
    environment: incident.environment,
    title: incident.title,
    status: incident.status === IncidentStatus.INCIDENT_STATUS_RESOLVED ? 'resolved' : 'open',
    openedBy: incident.openedBy,
    openedAt: incident.openedAt ? dateFromProto(incident.openedAt) : new Date(0),
    seenAt: incident.seenAt ? dateFromProto(incident.seenAt) : new Date(0),
    sweeps: incident.sweeps,
    ...(incident.resolvedAt && { resolvedAt: dateFromProto(incident.resolvedAt) }),
  };
}

export function incidentDetailToProto(detail: IncidentDetail): api.GetIncidentResponse {
  return {
    incident: incidentViewToProto(detail.incident),
    answer: detail.answer && answerViewToProto(detail.answer),
    plans: detail.plans.map(planViewToProto),
    recordJson: detail.recordJson,
    recordMarkdown: detail.recordMarkdown,
  };
}

/** Absent: the response holds no incident. */
export function incidentDetailFromProto(
  detail: api.GetIncidentResponse,
): IncidentDetail | undefined {
  if (!detail.incident) return undefined;
  return {
    incident: incidentViewFromProto(detail.incident),
    plans: detail.plans.map(planViewFromProto),
    recordJson: detail.recordJson,
    recordMarkdown: detail.recordMarkdown,
    ...(detail.answer && { answer: answerViewFromProto(detail.answer) }),
  };
}
