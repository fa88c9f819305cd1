import type { Json } from '@starr/kernel';
import { CHANGE_CAUSE_ANNOTATION, LEFT_ANNOTATION, OPERATION_ANNOTATION } from '../annotations.ts';
import type { Deployment, PodTemplate, ReplicaSet } from '../objects.ts';
import type { RollbackAct } from '../request.ts';
import { hashTemplate, templateWithoutHash } from './mask-objects.ts';

/** Why the act no longer fits the state; undefined: it does. */
export function changedSince(
  act: RollbackAct,
  deployment: Deployment,
  replicaSet: ReplicaSet,
): string | undefined {
  const name = `${act.namespace}/${act.deployment}`;
  if (deployment.metadata?.uid !== act.deploymentUid) return `${name} was deleted and made anew`;
  if (deployment.metadata.deletionTimestamp !== undefined) return `${name} is being deleted`;
  if (deployment.spec?.paused === true) return `${name} was paused`;
  if (hashOf(deployment.spec?.template) !== act.from.templateHash) {
    return `somebody changed the template of ${name} since the plan was made`;
  }
  const { uid } = replicaSet.metadata ?? {};
  const kept =
    uid === act.to.replicaSetUid && hashOf(replicaSet.spec?.template) === act.to.templateHash;
  return kept ? undefined : `revision ${act.to.revision} of ${name} is no longer what it was`;
}

function hashOf(template: PodTemplate | undefined): string | undefined {
  return template && hashTemplate(template);
}

/**
 * What `kubectl rollout undo` sends, with three differences: `test` operations hold uid, template and pause as they were read,
 * so that nothing is overwritten that nobody saw; annotations are set one by one instead of replaced together; and two of ours
 * tell the act from anybody else's. Unrelated writes (replicas, labels) do not refuse it.
 */
export function rollbackPatch(
  act: RollbackAct,
  operationId: string,
  deployment: Deployment,
  replicaSet: ReplicaSet,
): readonly Json[] {
  const annotations = deployment.metadata?.annotations;
  const cause = replicaSet.metadata?.annotations?.[CHANGE_CAUSE_ANNOTATION];
  const causeIsStale = cause === undefined && annotations?.[CHANGE_CAUSE_ANNOTATION] !== undefined;
  const template = templateWithoutHash(replicaSet.spec?.template ?? {}) as Json;
  const pathTo = (annotation: string) =>
    `/metadata/annotations/${annotation.replaceAll('/', '~1')}`;
  return [
    { op: 'test', path: '/metadata/uid', value: act.deploymentUid },
    { op: 'test', path: '/spec/paused', value: null },
    { op: 'test', path: '/spec/template', value: deployment.spec?.template as Json },
    { op: 'replace', path: '/spec/template', value: template },
    ...(annotations ? [] : [{ op: 'add', path: '/metadata/annotations', value: {} }]),
    { op: 'add', path: pathTo(OPERATION_ANNOTATION), value: operationId },
    { op: 'add', path: pathTo(LEFT_ANNOTATION), value: act.from.replicaSet },
    ...(cause === undefined
      ? []
      : [{ op: 'add', path: pathTo(CHANGE_CAUSE_ANNOTATION), value: cause }]),
    ...(causeIsStale ? [{ op: 'remove', path: pathTo(CHANGE_CAUSE_ANNOTATION) }] : []),
  ];
}
