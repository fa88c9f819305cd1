import {
  defineDiagnostic,
  isBlindSpot,
  maskText,
  type Change,
  type Look,
  type Measurement,
  type Row,
} from '@starr/kernel';
import { deploymentEntity, revisionEntity } from '../entities.ts';
import { rolloutsOf, type Rollout } from '../model/rollouts.ts';
import { templateChangeText } from '../model/template-diff.ts';
import { blindOf, type Workload } from '../model/workloads.ts';
import { workloadsRead } from '../reads/workloads.ts';

const MAX_CHANGES_NAMED = 4;

export const rollouts = defineDiagnostic({
  id: 'k8s.rollouts',
  title: 'Rollouts within the window',
  replaces: [
    'kubectl rollout history deployment',
    'kubectl get replicasets --sort-by=.metadata.creationTimestamp',
  ],
  explains:
    'Names every move of a Deployment to another revision: when, from which to which, what of the pod template changed (images, ' +
    'names of environment variables, never their values), and who wrote it. A rollout is a change, never a finding. By hand: ' +
    'kubectl rollout history, then compare the ReplicaSets.',
  reads: { workloads: workloadsRead },
  thresholds: {},
  measures: {
    revision: { unit: 'count', says: 'The current revision of a Deployment.' },
    rollouts: { unit: 'count', says: 'Moves between revisions within the window.' },
  },
  judge({ workloads }, _limits, look) {
    const blind = [...blindOf(workloads.replicaSets), ...blindOf(workloads.deployments)];
    if (isBlindSpot(workloads.replicaSets)) return { measured: [], blind };
    const seen = workloads.workloads.map((workload) => ({
      workload,
      moves: rolloutsOf(workload, look),
    }));
    const total = seen.reduce((sum, { moves }) => sum + moves.length, 0);
    return {
      measured: [
        { name: 'rollouts', about: { kind: 'cluster', name: look.target }, value: total },
        ...seen.flatMap(({ workload, moves }) => measure(workload, moves.length, look)),
      ],
      changes: seen.flatMap(({ workload, moves }) =>
        moves.map((move) => changeFrom(workload, move, look)),
      ),
      blind,
    };
  },
});

function measure(workload: Workload, moves: number, look: Look): Measurement[] {
  const about = deploymentEntity(look.target, workload.namespace, workload.name);
  const current = workload.revisions.at(-1);
  return [
    ...(current ? [{ name: 'revision', about, value: current.number }] : []),
    { name: 'rollouts', about, value: moves },
  ];
}

function changeFrom(workload: Workload, rollout: Rollout, look: Look): Change {
  const { namespace, name } = workload;
  return {
    about: revisionEntity(look.target, namespace, name, rollout.to),
    at: rollout.at,
    says: sentence(workload, rollout),
    facts: factsOf(workload, rollout),
  };
}

function sentence({ namespace, name }: Workload, rollout: Rollout): string {
  const named = rollout.changes.slice(0, MAX_CHANGES_NAMED).map(templateChangeText);
  const more = rollout.changes.length - named.length;
  return [
    `rollout ${rollout.from}→${rollout.to} of ${namespace}/${name}`,
    ...(rollout.returnsTo === undefined
      ? []
      : [`back to the template of revision ${rollout.returnsTo}`]),
    ...named,
    ...(more > 0 ? [`${more} more`] : []),
    ...(rollout.by ? [`by ${rollout.by.manager}`] : []),
  ].join(', ');
}

/** What k8s.rollback takes as parameters has the same names here. */
function factsOf(workload: Workload, rollout: Rollout): Row {
  const image = rollout.changes.find(({ what }) => what === 'image');
  const desired = workload.deployment?.spec?.replicas;
  return {
    namespace: workload.namespace,
    deployment: workload.name,
    service: workload.service,
    from: rollout.from,
    to: rollout.to,
    replicaSet: rollout.reached.name,
    changed: rollout.changes.map(({ what }) => what).join(', '),
    ...(rollout.left && { fromReplicaSet: rollout.left.name }),
    ...(image?.from !== undefined && { fromImage: image.from }),
    ...(image?.to !== undefined && { toImage: image.to }),
    ...(rollout.by && { by: rollout.by.manager }),
    ...(rollout.cause !== undefined && { cause: maskText(rollout.cause) }),
    ...(rollout.returnsTo !== undefined && { returnsTo: rollout.returnsTo }),
    ...(desired !== undefined && { replicas: desired }),
  };
}
