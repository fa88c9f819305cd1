import {
  defineRemedy,
  isBlindSpot,
  optional,
  type BlindSpot,
  type Look,
  type Operation,
  type Plan,
  type PlanRefused,
  type Receipt,
} from '@starr/kernel';
import { z } from 'zod';
import { deploymentEntity } from '../entities.ts';
import { chooseRevision, type Chosen } from '../model/choose-revision.ts';
import { fightersOf } from '../model/fighters.ts';
import { diffTemplates, templateChangeText } from '../model/template-diff.ts';
import type { Revision, Workload, Workloads } from '../model/workloads.ts';
import type { Deployment } from '../objects.ts';
import { autoscalersRead } from '../reads/autoscalers.ts';
import { logsRead, type Logs } from '../reads/logs.ts';
import { workloadsRead } from '../reads/workloads.ts';
import type { AutoscalersAnswer, KubernetesAct, RevisionRef } from '../request.ts';
import { effectOf, type EffectChoice } from './rollback-effect.ts';
import { undoTarget } from './rollback-undo.ts';

const PROGRESS_DEADLINE_S = 600;
const LONGEST_WAIT_MS = 300_000;

const params = z.strictObject({
  namespace: z.string().min(1).max(63),
  deployment: z.string().min(1).max(253),
  /** Absent: the newest revision that was seen healthy. */
  toRevision: z.int().min(1).optional(),
});

interface Seen {
  readonly workloads: Workloads;
  readonly autoscalers: AutoscalersAnswer | BlindSpot;
  readonly logs: Logs | BlindSpot;
}

type Planned = Plan<KubernetesAct> | PlanRefused;

/** Back to an earlier revision of a Deployment. Reversible: undo is the same act towards the revision that was left. */
export const rollback = defineRemedy({
  id: 'k8s.rollback',
  title: 'Roll a Deployment back',
  explains:
    'Returns the pod template of a Deployment to the newest earlier revision that was seen healthy, or says that it is unproven. ' +
    'Bound to the uid and to the template that the plan saw: refused when somebody rolled out meanwhile, when the Deployment is ' +
    'paused, without history, and when the templates are equal. Last states and logs of the pods are saved first. ConfigMaps, ' +
    'Secrets, replicas and database schemas are not rolled back.',
  params,
  reads: {
    workloads: workloadsRead,
    autoscalers: optional(autoscalersRead),
    logs: optional(logsRead),
  },
  plan({ namespace, deployment, toRevision }, seen, look): Planned {
    const found = findWorkload(seen.workloads, namespace, deployment);
    if (typeof found === 'string') return { refused: found };
    const choice = chooseRevision(found, toRevision);
    if (typeof choice === 'string') return { refused: choice };
    return planFor(found, choice, seen, look, 'errors');
  },
  undo(receipts: readonly Receipt[], seen, look): Planned {
    const [receipt] = receipts;
    const target = receipt && undoTarget(receipt);
    if (!target) return { refused: 'the receipt does not name the revision that was left' };
    const found = findWorkload(seen.workloads, target.namespace, target.deployment);
    if (typeof found === 'string') return { refused: found };
    const name = `${target.namespace}/${target.deployment}`;
    const current = found.revisions.at(-1);
    const to = found.revisions.find(({ uid }) => uid === target.left.replicaSetUid);
    if (!to) return { refused: `the revision that was left of ${name} is no longer kept` };
    if (current?.templateHash !== target.reachedTemplateHash) {
      return { refused: `${name} was rolled out again since: there is nothing of ours to undo` };
    }
    const choice = { current, to, proven: false, known: 'the revision that the rollback left' };
    return planFor(found, choice, seen, look, 'available');
  },
});

/** A sentence: why it cannot be planned on. */
function findWorkload(
  workloads: Workloads,
  namespace: string,
  deployment: string,
): (Workload & { readonly deployment: Deployment }) | string {
  if (isBlindSpot(workloads.deployments)) {
    return `Deployments cannot be seen: ${workloads.deployments.detail}`;
  }
  if (isBlindSpot(workloads.replicaSets)) {
    return `revisions cannot be seen: ${workloads.replicaSets.detail}`;
  }
  const name = `${namespace}/${deployment}`;
  const found = workloads.workloads.find(
    (one) => one.namespace === namespace && one.name === deployment,
  );
  if (!found?.deployment) return `there is no Deployment ${name} in the configured namespaces`;
  if (found.deployment.spec?.paused === true) {
    return `${name} is paused: nothing would be rolled out; kubectl -n ${namespace} rollout resume deployment/${deployment}`;
  }
  return { ...found, deployment: found.deployment };
}

function planFor(
  workload: Workload & { readonly deployment: Deployment },
  choice: Chosen,
  seen: Seen,
  look: Look,
  choose: EffectChoice,
): Planned {
  const operation = operationFor(workload, choice, look);
  if (!operation) return { refused: 'the objects carry no uid: nothing can be bound to them' };
  const about = deploymentEntity(look.target, workload.namespace, workload.name);
  const replicas = workload.deployment.spec?.replicas ?? 1;
  return {
    operations: [operation],
    effect: effectOf(workload, seen.workloads, seen.logs, look, choose),
    touches: [{ name: 'podsReplaced', about, value: replicas }],
    warnings: warningsFor(workload, choice, seen),
  };
}

function operationFor(
  { namespace, name, deployment }: Workload & { readonly deployment: Deployment },
  { current, to, known }: Chosen,
  look: Look,
): Operation<KubernetesAct> | undefined {
  const deploymentUid = deployment.metadata?.uid;
  const [from, back] = [refOf(current), refOf(to)];
  if (deploymentUid === undefined || !from || !back) return undefined;
  const deadlineMs = (deployment.spec?.progressDeadlineSeconds ?? PROGRESS_DEADLINE_S) * 1000;
  const context = look.options['context'];
  const place = typeof context === 'string' ? ` --context ${context}` : '';
  return {
    act: {
      kind: 'rollback',
      namespace,
      deployment: name,
      deploymentUid,
      from,
      to: back,
      waitMs: Math.min(deadlineMs, LONGEST_WAIT_MS),
    },
    says: `roll ${namespace}/${name} back from revision ${current.number} to revision ${to.number} (${known}${changesText(current, to)})`,
    byHand: `kubectl${place} -n ${namespace} rollout undo deployment/${name} --to-revision=${to.number}`,
    reversible: true,
    onRefused: 'stop',
    onFailed: 'stop',
  };
}

function refOf(revision: Revision): RevisionRef | undefined {
  const { number, name, uid, templateHash } = revision;
  if (templateHash === undefined) return undefined;
  return { revision: number, replicaSet: name, replicaSetUid: uid, templateHash };
}

function changesText(from: Revision, to: Revision): string {
  const templates = [from, to].map(({ replicaSet }) => replicaSet.spec?.template);
  if (!templates[0] || !templates[1]) return '';
  const changes = diffTemplates(templates[0], templates[1]).map(templateChangeText);
  return changes.length === 0 ? '' : `; ${changes.slice(0, 5).join(', ')}`;
}

function warningsFor(
  workload: Workload & { readonly deployment: Deployment },
  { to, proven, known }: Chosen,
  { autoscalers }: Seen,
): string[] {
  const items = isBlindSpot(autoscalers) ? [] : autoscalers.items;
  const unseen = isBlindSpot(autoscalers) ? [autoscalers] : autoscalers.blind;
  const recreate = workload.deployment.spec?.strategy?.type === 'Recreate';
  return [
    ...(proven ? [] : [known]),
    ...fightersOf(workload, workload.deployment, items),
    ...unseen.map(({ detail }) => `whether an autoscaler scales it could not be seen: ${detail}`),
    ...(recreate ? ['its strategy is Recreate: all pods end before the first new one starts'] : []),
    `not checked: whether revision ${to.number} still fits today's database schema, ConfigMaps and Secrets`,
  ];
}
