import {
  isBlindSpot,
  sameEntity,
  type BlindSpot,
  type Effect,
  type Entity,
  type Limits,
  type Look,
} from '@starr/kernel';
import { errorDistribution } from '../diagnostics/error-distribution.ts';
import { podStatus } from '../diagnostics/pod-status.ts';
import { deploymentEntity } from '../entities.ts';
import type { Workload, Workloads } from '../model/workloads.ts';
import type { Logs } from '../reads/logs.ts';

/** `errors`: what the logs complain of, where they do; `available`: that all replicas are there. */
export type EffectChoice = 'errors' | 'available';

/** Time for the new pods to take traffic, then as long as an error's own period. */
const SETTLE_MS = 15_000;
const HOLD_MS = 30_000;
const WITHIN_MS = 240_000;
/** So much of what rose may be left. */
const LEFT_OVER = 0.1;
/** Errors that come as ever may swing so much. */
const SWING = 1.5;
/** A float that counts as all. */
const ALL = 0.99;

const { thresholds } = errorDistribution;
const DEFAULTS = Object.fromEntries(
  Object.entries(thresholds).map(([name, { value }]) => [name, value]),
) as Limits<typeof thresholds>;

/**
 * What must move: errors a minute where errors rise; else the replicas that are missing or that must be there again. The rate
 * counts every error of the pods that run then, new or not, so that an error which came back is not taken for an old one.
 */
export function effectOf(
  workload: Workload,
  workloads: Workloads,
  logs: Logs | BlindSpot,
  look: Look,
  choose: EffectChoice,
): Effect {
  const about = deploymentEntity(look.target, workload.namespace, workload.name);
  const timing = {
    settleMs: SETTLE_MS,
    holdMs: HOLD_MS,
    withinMs: WITHIN_MS,
    onMiss: 'ask',
  } as const;
  const { replicas = 1 } = workload.deployment?.spec ?? {};
  const missing = (workload.deployment?.status?.availableReplicas ?? 0) < replicas;
  const rate =
    choose === 'errors' && !missing ? risingRate(workloads, about, logs, look) : undefined;
  if (rate && rate.rising > 0) {
    const steady = rate.all - rate.rising;
    const below = Math.max(1, steady * SWING + rate.rising * LEFT_OVER);
    const measurement = 'errorsPerMinute';
    return {
      diagnostic: errorDistribution.id,
      about,
      measurement,
      below: Math.round(below),
      ...timing,
    };
  }
  return { diagnostic: podStatus.id, about, measurement: 'availableRatio', above: ALL, ...timing };
}

/** Today's rates as the diagnostic itself measures them. */
function risingRate(
  workloads: Workloads,
  about: Entity,
  logs: Logs | BlindSpot,
  look: Look,
): { all: number; rising: number } | undefined {
  if (isBlindSpot(logs)) return undefined;
  const { measured } = errorDistribution.judge({ workloads, logs }, DEFAULTS, look);
  const valueOf = (name: string) =>
    measured.find((one) => one.name === name && sameEntity(one.about, about))?.value;
  const [all, rising] = [valueOf('errorsPerMinute'), valueOf('risingPerMinute')];
  return all === undefined || rising === undefined ? undefined : { all, rising };
}
