import type { BreakerSnapshot, OverrideKind, OverrideSnapshot } from '@starr/policies';
import * as pb from './gen/starr/resilience/v1/resilience.ts';
import {
  dateFromProto,
  dateToProto,
  durationFromProto,
  durationToProto,
} from './moment.mapping.ts';

const KIND = {
  'force-open': pb.OverrideKind.OVERRIDE_KIND_FORCE_OPEN,
  'hold-closed': pb.OverrideKind.OVERRIDE_KIND_HOLD_CLOSED,
  'half-open-now': pb.OverrideKind.OVERRIDE_KIND_HALF_OPEN_NOW,
  shed: pb.OverrideKind.OVERRIDE_KIND_SHED,
  'serve-stale': pb.OverrideKind.OVERRIDE_KIND_SERVE_STALE,
} as const satisfies Record<OverrideKind, pb.OverrideKind>;

export function overrideToProto(override: OverrideSnapshot): pb.Override {
  const { id, kind, share, by, reason, since, leaseLeftMs } = override;
  return {
    id,
    kind: KIND[kind],
    share,
    by,
    reason,
    since: dateToProto(since),
    leaseLeft: durationToProto(leaseLeftMs),
  };
}

/** Absent for a kind that this version does not know. */
export function overrideFromProto(override: pb.Override): OverrideSnapshot | undefined {
  const kind = (Object.keys(KIND) as OverrideKind[]).find((name) => KIND[name] === override.kind);
  if (kind === undefined) return undefined;
  const { id, share, by, reason, since, leaseLeft } = override;
  return {
    id,
    kind,
    ...(share !== undefined && { share }),
    by,
    reason,
    since: since ? dateFromProto(since) : new Date(0),
    leaseLeftMs: leaseLeft ? durationFromProto(leaseLeft) : 0,
  };
}

export function limitedFromProto({
  library,
  lacks,
}: pb.Limited): NonNullable<BreakerSnapshot['limited']> {
  return { library, lacks };
}

/** Absent stays absent: what a process does not tell is not 0. */
export function optionalCount(value: number | undefined): bigint | undefined {
  return value === undefined ? undefined : BigInt(Math.trunc(value));
}
