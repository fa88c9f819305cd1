import type { Clock, Limit, Progress } from '@starr/kernel';
import type { Deployment } from '../objects.ts';
import type { RollbackAct } from '../request.ts';
import type { Asker } from './ask.ts';
import { hashTemplate } from './mask-objects.ts';
import { readDeployment } from './read-objects.ts';

const POLL_MS = 500;

/** `done`: all wanted replicas run the new template and are available, and no other is left. */
export type RolloutEnd =
  | { readonly end: 'done'; readonly deployment: Deployment }
  | { readonly end: 'stuck'; readonly says: string; readonly deployment?: Deployment };

/** Follows a rollout until it is done or cannot be; what it sees on the way is progress. Never fails. */
export async function* awaitRollout(
  ask: Asker,
  act: RollbackAct,
  until: { readonly atMs: number; readonly stop: AbortSignal },
  clock: Clock,
  limit: Limit,
): AsyncGenerator<Progress, RolloutEnd> {
  let said = '';
  let latest: Deployment | undefined;
  let silence = '';
  while (clock.monotonicMs() < until.atMs && !until.stop.aborted) {
    try {
      latest = await readDeployment(ask, act, limit);
      silence = '';
    } catch {
      silence = '; the API server did not answer at the last look';
    }
    if (latest && silence === '') {
      const end = endOf(latest, act);
      if (end) return end;
      const { says, ratio } = progressOf(latest);
      if (says !== said) yield { kind: 'progress', says, ratio };
      said = says;
    }
    await clock.sleep(POLL_MS, until.stop);
  }
  const why = until.stop.aborted ? 'waiting was stopped' : 'the time to wait is over';
  const seen = latest ? `: ${progressOf(latest).says}` : '';
  return { end: 'stuck', says: `${why}${seen}${silence}`, ...(latest && { deployment: latest }) };
}

function endOf(deployment: Deployment, act: RollbackAct): RolloutEnd | undefined {
  const { spec, status } = deployment;
  if (!spec?.template || hashTemplate(spec.template) !== act.to.templateHash) {
    return {
      end: 'stuck',
      says: 'somebody wrote the template again while it was rolled out',
      deployment,
    };
  }
  if (spec.paused === true) return { end: 'stuck', says: 'the Deployment was paused', deployment };
  if (!isObserved(deployment)) return undefined;
  const { wanted, updated, available, all } = countsOf(deployment);
  if (updated >= wanted && available >= wanted && all === updated)
    return { end: 'done', deployment };
  const progressing = status?.conditions?.find(({ type }) => type === 'Progressing');
  if (progressing?.status !== 'False') return undefined;
  const says = `revision ${act.to.revision} does not come up (${progressing.reason ?? 'no reason given'}): ${progressOf(deployment).says}; ReplicaSet ${act.to.replicaSet}`;
  return { end: 'stuck', says, deployment };
}

function progressOf(deployment: Deployment): { says: string; ratio: number } {
  if (!isObserved(deployment)) return { says: 'the controller has not begun yet', ratio: 0 };
  const { wanted, updated, available, all } = countsOf(deployment);
  const old = all - updated;
  return {
    says: `${Math.min(updated, available)} of ${wanted} pods are back, ${old} old ones are left`,
    ratio: wanted === 0 ? 1 : Math.min(1, Math.min(updated, available) / (wanted + old)),
  };
}

/** Before that the counts are those of the old template. */
function isObserved({ status, metadata }: Deployment): boolean {
  return (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0);
}

function countsOf({ spec, status }: Deployment) {
  return {
    wanted: spec?.replicas ?? 1,
    updated: status?.updatedReplicas ?? 0,
    available: status?.availableReplicas ?? 0,
    all: status?.replicas ?? 0,
  };
}
