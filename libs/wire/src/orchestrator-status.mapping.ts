import {
  diagnosticFromProto,
  diagnosticToProto,
  remedyFromProto,
  remedyToProto,
  targetFromProto,
  targetToProto,
} from './catalog.mapping.ts';
import type * as api from './gen/starr/orchestrator/v1/orchestrator.ts';
import {
  dateFromProto,
  dateToProto,
  durationFromProto,
  durationToProto,
} from './moment.mapping.ts';
import type {
  DoctorCatalogView,
  HealthView,
  PlaybooksView,
  ServiceHealthView,
  TargetHealthView,
  TraceSpanView,
} from './orchestrator.ts';

export function healthToProto(health: HealthView): api.CheckHealthResponse {
  return {
    services: health.services.map((service) => ({
      name: service.name,
      address: service.address ?? '',
      serving: service.isServing,
      says: service.says,
      took: service.tookMs === undefined ? undefined : durationToProto(service.tookMs),
    })),
    targets: health.targets.map((target) => ({
      name: target.name,
      kind: target.kind,
      doctor: target.doctor,
      seen: target.isSeen,
      blindChecks: target.blindChecks,
      checks: target.checks,
      says: target.says,
      cure: target.cure ?? '',
      acts: target.acts,
    })),
  };
}

export function healthFromProto(health: api.CheckHealthResponse): HealthView {
  return {
    services: health.services.map(serviceFromProto),
    targets: health.targets.map(targetHealthFromProto),
  };
}

function serviceFromProto(service: api.ServiceHealth): ServiceHealthView {
  return {
    name: service.name,
    isServing: service.serving,
    says: service.says,
    ...(service.address !== '' && { address: service.address }),
    ...(service.took && { tookMs: durationFromProto(service.took) }),
  };
}

function targetHealthFromProto(target: api.TargetHealth): TargetHealthView {
  return {
    name: target.name,
    kind: target.kind,
    doctor: target.doctor,
    isSeen: target.seen,
    blindChecks: target.blindChecks,
    checks: target.checks,
    says: target.says,
    acts: target.acts,
    ...(target.cure !== '' && { cure: target.cure }),
  };
}

export function doctorCatalogToProto(catalog: DoctorCatalogView): api.DoctorCatalog {
  return {
    name: catalog.name,
    reachable: catalog.isReachable,
    diagnostics: catalog.diagnostics.map(diagnosticToProto),
    remedies: catalog.remedies.map(remedyToProto),
    targets: catalog.targets.map(targetToProto),
  };
}

export function doctorCatalogFromProto(catalog: api.DoctorCatalog): DoctorCatalogView {
  return {
    name: catalog.name,
    isReachable: catalog.reachable,
    diagnostics: catalog.diagnostics.map(diagnosticFromProto),
    remedies: catalog.remedies.map(remedyFromProto),
    targets: catalog.targets.map(targetFromProto),
  };
}

export function playbooksToProto(view: PlaybooksView): api.CheckPlaybooksResponse {
  return {
    playbooks: view.playbooks.map(({ id, title, dormantBecause }) => ({
      id,
      title,
      dormantBecause: dormantBecause ?? '',
    })),
    problems: [...view.problems],
  };
}

export function playbooksFromProto(response: api.CheckPlaybooksResponse): PlaybooksView {
  return {
    playbooks: response.playbooks.map(({ id, title, dormantBecause }) => ({
      id,
      title,
      ...(dormantBecause !== '' && { dormantBecause }),
    })),
    problems: response.problems,
  };
}

export function traceSpanToProto(span: TraceSpanView): api.TraceSpan {
  return {
    spanId: span.spanId,
    parentSpanId: span.parentSpanId ?? '',
    service: span.service,
    name: span.name,
    startedAt: dateToProto(span.startedAt),
    took: durationToProto(span.tookMs),
    failed: span.isFailed,
    attributes: { ...span.attributes },
    events: [...span.events],
  };
}

export function traceSpanFromProto(span: api.TraceSpan): TraceSpanView {
  return {
    spanId: span.spanId,
    service: span.service,
    name: span.name,
    startedAt: span.startedAt ? dateFromProto(span.startedAt) : new Date(0),
    tookMs: span.took ? durationFromProto(span.took) : 0,
    isFailed: span.failed,
    attributes: span.attributes,
    events: span.events,
    ...(span.parentSpanId !== '' && { parentSpanId: span.parentSpanId }),
  };
}
