import {
  blindSpot,
  type BlindReason,
  type BlindSpot,
  type Change,
  type Finding,
  type Severity,
} from '@starr/kernel';
import * as pb from './gen/starr/doctor/v1/values.ts';
import { dateFromProto, dateToProto } from './moment.mapping.ts';
import {
  columnsFromProto,
  columnsToProto,
  entityFromProto,
  entityToProto,
  measurementFromProto,
  measurementToProto,
} from './values.mapping.ts';

const SEVERITY = {
  warning: pb.Severity.SEVERITY_WARNING,
  critical: pb.Severity.SEVERITY_CRITICAL,
} as const satisfies Record<Severity, pb.Severity>;

const WHY = {
  denied: pb.BlindReason.BLIND_REASON_DENIED,
  redacted: pb.BlindReason.BLIND_REASON_REDACTED,
  timeout: pb.BlindReason.BLIND_REASON_TIMEOUT,
  unreachable: pb.BlindReason.BLIND_REASON_UNREACHABLE,
  unsupported: pb.BlindReason.BLIND_REASON_UNSUPPORTED,
  truncated: pb.BlindReason.BLIND_REASON_TRUNCATED,
  'no-history': pb.BlindReason.BLIND_REASON_NO_HISTORY,
} as const satisfies Record<BlindReason, pb.BlindReason>;

export function severityToProto(severity: Severity | undefined): pb.Severity {
  return severity === undefined ? pb.Severity.SEVERITY_UNSPECIFIED : SEVERITY[severity];
}

/** An unknown severity reads as critical: never as harmless. */
export function severityFromProto(severity: pb.Severity): Severity {
  return severity === pb.Severity.SEVERITY_WARNING ? 'warning' : 'critical';
}

function whyFromProto(why: pb.BlindReason): BlindReason {
  for (const [name, value] of Object.entries(WHY)) if (value === why) return name as BlindReason;
  return 'unsupported';
}

export function blindSpotToProto(blind: BlindSpot): pb.BlindSpot {
  return { why: WHY[blind.why], detail: blind.detail, cure: blind.cure ?? '' };
}

export function blindSpotFromProto(blind: pb.BlindSpot): BlindSpot {
  return blindSpot(
    whyFromProto(blind.why),
    blind.detail,
    blind.cure === '' ? undefined : blind.cure,
  );
}

export function findingToProto(finding: Finding): pb.Finding {
  return {
    severity: SEVERITY[finding.severity],
    about: entityToProto(finding.about),
    says: finding.says,
    since: finding.since && dateToProto(finding.since),
    measured: finding.measured.map(measurementToProto),
    rows: (finding.rows ?? []).map((row) => ({ columns: columnsToProto(row) })),
    involves: (finding.involves ?? []).map(entityToProto),
  };
}

export function findingFromProto(finding: pb.Finding): Finding {
  return {
    severity: severityFromProto(finding.severity),
    about: entityFromProto(finding.about),
    says: finding.says,
    measured: finding.measured.map(measurementFromProto),
    ...(finding.since && { since: dateFromProto(finding.since) }),
    ...(finding.rows.length > 0 && {
      rows: finding.rows.map((row) => columnsFromProto(row.columns)),
    }),
    ...(finding.involves.length > 0 && { involves: finding.involves.map(entityFromProto) }),
  };
}

export function changeToProto(change: Change): pb.Change {
  return {
    about: entityToProto(change.about),
    at: dateToProto(change.at),
    says: change.says,
    facts: change.facts && { columns: columnsToProto(change.facts) },
  };
}

export function changeFromProto(change: pb.Change): Change {
  return {
    about: entityFromProto(change.about),
    at: change.at ? dateFromProto(change.at) : new Date(0),
    says: change.says,
    ...(change.facts && { facts: columnsFromProto(change.facts.columns) }),
  };
}
