import { controllerOf, nameOf, namespaceOf } from '../model/workloads.ts';
import { dateOf, type Pod, type ReplicaSet } from '../objects.ts';
import type { SeenHealthy } from '../request.ts';

interface Streak {
  readonly from: number;
  readonly to: number;
  readonly looks: number;
}

/** Which revisions this doctor saw healthy: what is gone from the API when their pods are. Bounded; lost with the process. */
export interface HealthMemory {
  /** Takes in one look at a cluster. */
  learn(sets: readonly ReplicaSet[], pods: readonly Pod[], now: Date): void;
  /** uid of the ReplicaSet → its longest time of health. */
  recall(): Readonly<Record<string, SeenHealthy>>;
}

const MAX_REMEMBERED = 2000;

export function createHealthMemory(): HealthMemory {
  const longest = new Map<string, Streak>();
  const running = new Map<string, Streak>();

  const note = (uid: string, now: Date, since: number | undefined): void => {
    if (since === undefined) {
      running.delete(uid);
      return;
    }
    const before = running.get(uid);
    const streak = {
      from: Math.min(before?.from ?? since, since),
      to: now.getTime(),
      looks: (before?.looks ?? 0) + 1,
    };
    running.set(uid, streak);
    const best = longest.get(uid);
    if (!best || streak.to - streak.from >= best.to - best.from) {
      longest.delete(uid); // set anew below: the newest is last, the oldest is forgotten first
      longest.set(uid, streak);
    }
    if (longest.size > MAX_REMEMBERED) longest.delete(longest.keys().next().value ?? '');
  };

  return {
    learn(sets, pods, now) {
      const bySet = Map.groupBy(
        pods,
        (pod) => `${namespaceOf(pod)}/${controllerOf(pod, 'ReplicaSet') ?? ''}`,
      );
      for (const set of sets) {
        const own = bySet.get(`${namespaceOf(set)}/${nameOf(set)}`) ?? [];
        const uid = set.metadata?.uid;
        if (uid !== undefined) note(uid, now, healthySince(set, own));
      }
    },
    recall: () =>
      Object.fromEntries(
        [...longest].map(([uid, { from, to, looks }]) => [
          uid,
          { from: new Date(from).toISOString(), to: new Date(to).toISOString(), looks },
        ]),
      ),
  };
}

/** Since when all pods that a ReplicaSet wants are ready without a break; undefined: they are not, or none is wanted. */
function healthySince(set: ReplicaSet, own: readonly Pod[]): number | undefined {
  const wanted = set.spec?.replicas ?? 0;
  if (wanted === 0 || (set.status?.availableReplicas ?? 0) < wanted) return undefined;
  const readySince = own.map((pod) =>
    dateOf(
      pod.status?.conditions?.find((c) => c.type === 'Ready' && c.status === 'True')
        ?.lastTransitionTime,
    ),
  );
  const times = readySince.flatMap((at) => (at ? [at.getTime()] : []));
  return times.length >= wanted ? Math.max(...times) : undefined;
}
