import type { IdleSession } from '../reads/idle-candidates.ts';

/** Sessions that were used once and left serve nobody; of those that a pool uses, most must stay whatever is asked. */
const DEFAULT_SHARE = { usedOnce: 1, byFloor: 0.2 } as const;

/** The share of an application's idle sessions that may be ended at a time. */
export function shareOf(maxShare: number | undefined, idleFloorMs: number | undefined): number {
  return maxShare ?? (idleFloorMs === undefined ? DEFAULT_SHARE.usedOnce : DEFAULT_SHARE.byFloor);
}

/** The first of each application, in their order, up to its share of all its idle sessions; one at least. */
export function capped(
  free: readonly IdleSession[],
  all: readonly IdleSession[],
  share: number,
): readonly IdleSession[] {
  const idle = Map.groupBy(all, ({ application }) => application);
  const taken = new Map<string, number>();
  return free.filter(({ application }) => {
    const count = taken.get(application) ?? 0;
    const most = Math.max(1, Math.floor((idle.get(application)?.length ?? 0) * share));
    if (count >= most) return false;
    taken.set(application, count + 1);
    return true;
  });
}
