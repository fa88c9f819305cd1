import { durationText } from '@starr/kernel';
import { dateOf, type Condition, type Deployment } from '../objects.ts';

export interface RolloutTrouble {
  readonly severity: 'warning' | 'critical';
  readonly says: string;
  readonly since?: Date;
}

/** What a Deployment says of itself: below its minimum, stuck, or not allowed to make pods. The gravest, or none. */
export function rolloutTrouble(
  deployment: Deployment,
  patience: { readonly unavailableMs: number },
  now: Date,
): RolloutTrouble | undefined {
  const desired = deployment.spec?.replicas ?? 1;
  const available = deployment.status?.availableReplicas ?? 0;
  const condition = (type: string) => deployment.status?.conditions?.find((c) => c.type === type);

  const minimum = condition('Available');
  if (
    desired > 0 &&
    minimum?.status === 'False' &&
    lastedMs(minimum, now) > patience.unavailableMs
  ) {
    const lasted = durationText(lastedMs(minimum, now));
    return trouble('critical', `${available} of ${desired} available for ${lasted}`, minimum);
  }
  const progress = condition('Progressing');
  if (progress?.status === 'False') {
    const severity = available === 0 && desired > 0 ? 'critical' : 'warning';
    return trouble(
      severity,
      `the rollout is stuck (${progress.reason ?? 'no reason given'})`,
      progress,
    );
  }
  const failure = condition('ReplicaFailure');
  if (failure?.status === 'True') {
    return trouble(
      'warning',
      `pods cannot be made: ${failure.message ?? failure.reason ?? ''}`,
      failure,
    );
  }
  return undefined;
}

function trouble(
  severity: RolloutTrouble['severity'],
  says: string,
  condition: Condition,
): RolloutTrouble {
  const since = dateOf(condition.lastTransitionTime);
  return { severity, says, ...(since && { since }) };
}

/** A condition without a moment counts as old: better said than missed. */
function lastedMs(condition: Condition, now: Date): number {
  const since = dateOf(condition.lastTransitionTime);
  return since ? now.getTime() - since.getTime() : Number.POSITIVE_INFINITY;
}
