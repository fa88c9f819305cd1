import type { Autoscaler, Deployment } from '../objects.ts';
import { nameOf, namespaceOf, type Workload } from './workloads.ts';

interface Owner {
  readonly label?: string;
  readonly annotation?: string;
  readonly managers: readonly string[];
  /** `name`: of the label or annotation, where there is one. */
  readonly warns: (name: string) => string;
}

/** Who writes a Deployment from a source of truth outside the cluster, by what each leaves on the object. */
const OWNERS: readonly Owner[] = [
  {
    label: 'argocd.argoproj.io/instance',
    annotation: 'argocd.argoproj.io/tracking-id',
    managers: ['argocd-controller', 'argocd-application-controller'],
    warns: (name) =>
      `Argo CD owns it${name}: with self-heal on it sets the template back; suspend the sync or roll back in Git`,
  },
  {
    label: 'kustomize.toolkit.fluxcd.io/name',
    managers: ['kustomize-controller'],
    warns: (name) =>
      `Flux owns it${name}: the next reconciliation sets the template back; flux suspend kustomization first, then roll back in Git`,
  },
  {
    label: 'helm.toolkit.fluxcd.io/name',
    managers: ['helm-controller'],
    warns: (name) =>
      `Flux's Helm controller owns it${name}: it may set the template back; flux suspend helmrelease first`,
  },
  {
    annotation: 'meta.helm.sh/release-name',
    managers: ['helm'],
    warns: (name) =>
      `Helm installed it${name}: the release keeps the revision that is left, and the next helm upgrade brings it back; helm rollback keeps both in step`,
  },
];

/** What will work against a change of a Deployment's template, and how; empty: nobody that is known. */
export function fightersOf(
  workload: Workload,
  deployment: Deployment,
  autoscalers: readonly Autoscaler[],
): readonly string[] {
  return [
    ...OWNERS.flatMap((owner) => ownerWarning(deployment, owner)),
    ...(deployment.metadata?.ownerReferences ?? []).map(
      ({ kind = 'object', name = '' }) =>
        `${kind} ${name} owns it: its operator may set the template back`,
    ),
    ...autoscalers
      .filter((one) => scales(one, workload))
      .map(
        (one) =>
          `HorizontalPodAutoscaler ${nameOf(one)} goes on deciding the replicas (${one.spec?.minReplicas ?? 1}–${one.spec?.maxReplicas ?? '?'}): their number is not rolled back`,
      ),
  ];
}

function ownerWarning(deployment: Deployment, owner: Owner): string[] {
  const { labels, annotations, managedFields } = deployment.metadata ?? {};
  const named =
    (owner.label === undefined ? undefined : labels?.[owner.label]) ??
    (owner.annotation === undefined ? undefined : annotations?.[owner.annotation]);
  const writes = managedFields?.some(({ manager }) => owner.managers.includes(manager ?? ''));
  if (named === undefined && writes !== true) return [];
  return [owner.warns(named === undefined ? '' : ` (${named.split(':')[0] ?? ''})`)];
}

function scales(autoscaler: Autoscaler, { namespace, name }: Workload): boolean {
  const target = autoscaler.spec?.scaleTargetRef;
  return (
    namespaceOf(autoscaler) === namespace && target?.kind === 'Deployment' && target.name === name
  );
}
