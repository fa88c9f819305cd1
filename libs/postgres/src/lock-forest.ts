import type { LockParty, LockWaits, PreparedTransaction } from './lock-party.ts';

/** A session, or a prepared transaction, in its place among those who wait for each other. */
export interface LockNode {
  readonly kind: 'session' | 'prepared';
  /** Unique in the forest. */
  readonly key: string;
  /** Absent: a prepared transaction, or a session that was gone when it was looked at. */
  readonly party?: LockParty;
  /** Absent: a session, or it is not known which one. */
  readonly prepared?: PreparedTransaction;
  /** 0: waits for nobody. */
  readonly depth: number;
  /** Whom it waits for, by key. */
  readonly blockedBy: readonly string[];
  /** Under whom it is drawn: the blocker that is nearest to a root. Absent: a root. */
  readonly parent?: string;
  /** How many wait for it directly. */
  readonly blocks: number;
  /** How many wait no more when it goes: at once, or when those whom it frees are done. */
  readonly frees: number;
}

/** Who waits for whom. Nodes stand in the order of drawing: each behind its parent, the one that frees most first. */
export interface LockForest {
  readonly nodes: readonly LockNode[];
  readonly truncated: boolean;
}

/** A look is judged and related: its forest is built once. */
const FORESTS = new WeakMap<LockWaits, LockForest>();

/** The forest of what pg_blocking_pids told. */
export function lockForestFrom(waits: LockWaits): LockForest {
  const forest = FORESTS.get(waits) ?? buildForest(waits);
  FORESTS.set(waits, forest);
  return forest;
}

/** In time linear in the edges for each session that holds others up alone. */
function buildForest({ parties, truncated }: LockWaits): LockForest {
  const drafts = draftsFrom(parties);
  const waiters = waitersOf(drafts);
  const depths = depthsOf(drafts, waiters);
  const nodes = drafts.map(({ blockers, ...draft }, index): LockNode => {
    const parent = parentOf(index, blockers, depths);
    return {
      ...draft,
      depth: depths[index] ?? 0,
      blockedBy: blockers.map((blocker) => drafts[blocker]?.key ?? ''),
      ...(parent !== undefined && { parent: drafts[parent]?.key ?? '' }),
      blocks: waiters[index]?.length ?? 0,
      frees: freedBy(index, drafts, waiters),
    };
  });
  return { nodes: inDrawingOrder(nodes), truncated };
}

/** pid → how many wait for it directly. */
export function directWaiters(parties: readonly LockParty[]): ReadonlyMap<number, number> {
  const waiters = new Map<number, number>();
  for (const { waits } of parties)
    for (const pid of waits?.blockers ?? []) waiters.set(pid, (waiters.get(pid) ?? 0) + 1);
  return waiters;
}

/** A node before its place is known; others are named by their index, since a queue of 400 has 80,000 edges. */
interface Draft extends Pick<LockNode, 'kind' | 'key' | 'party' | 'prepared'> {
  readonly blockers: readonly number[];
}

type Indexes = readonly (readonly number[])[];

function draftsFrom(parties: readonly LockParty[]): readonly Draft[] {
  const drafts: (Omit<Draft, 'blockers'> & { blockers: readonly number[] })[] = parties.map(
    (party) => ({ kind: 'session', key: String(party.pid), party, blockers: [] }),
  );
  const byPid = new Map(parties.map(({ pid }, index) => [pid, index]));
  const byGid = new Map<string, number>();
  const add = (draft: Omit<Draft, 'blockers'>) => drafts.push({ ...draft, blockers: [] }) - 1;
  const indexOf = (pid: number): number => {
    const known = byPid.get(pid);
    if (known !== undefined) return known;
    // a session that ended between the two looks, or a prepared transaction of which nothing else is known
    const index = add({ kind: pid === 0 ? 'prepared' : 'session', key: String(pid) });
    byPid.set(pid, index);
    return index;
  };
  const preparedOf = (prepared: PreparedTransaction): number => {
    const { gid } = prepared;
    const index = byGid.get(gid) ?? add({ kind: 'prepared', key: `prepared ${gid}`, prepared });
    byGid.set(gid, index);
    return index;
  };
  for (const [index, { waits }] of parties.entries()) {
    const draft = drafts[index];
    if (waits === undefined || draft === undefined) continue;
    const named = waits.prepared.map(preparedOf);
    draft.blockers = waits.blockers.flatMap((pid) =>
      pid === 0 && named.length > 0 ? named : indexOf(pid),
    );
  }
  return drafts;
}

function waitersOf(drafts: readonly Draft[]): Indexes {
  const waiters: number[][] = drafts.map(() => []);
  for (const [index, { blockers }] of drafts.entries())
    for (const blocker of blockers) waiters[blocker]?.push(index);
  return waiters;
}

/** How far from a root. Those who wait for each other in a circle have none: the server ends one of them within a second. */
function depthsOf(drafts: readonly Draft[], waiters: Indexes): readonly number[] {
  const depths = drafts.map(({ blockers }) => (blockers.length === 0 ? 0 : Infinity));
  const reach = (queue: number[]): void => {
    for (const index of queue) {
      const depth = (depths[index] ?? 0) + 1;
      for (const waiter of waiters[index] ?? []) {
        if ((depths[waiter] ?? 0) <= depth) continue;
        depths[waiter] = depth;
        queue.push(waiter);
      }
    }
  };
  reach(drafts.flatMap(({ blockers }, index) => (blockers.length === 0 ? index : [])));
  for (const index of drafts.keys()) {
    if (depths[index] !== Infinity) continue;
    depths[index] = 0;
    reach([index]);
  }
  return depths;
}

function parentOf(
  index: number,
  blockers: readonly number[],
  depths: readonly number[],
): number | undefined {
  if (depths[index] === 0) return undefined;
  const depthOf = (each: number) => depths[each] ?? Infinity;
  return blockers.reduce((best, each) => (depthOf(each) < depthOf(best) ? each : best));
}

/** Only who is the sole blocker of somebody frees anybody; from there on, those who are freed free others. */
function freedBy(index: number, drafts: readonly Draft[], waiters: Indexes): number {
  const alone = waiters[index]?.some((each) => drafts[each]?.blockers.length === 1);
  if (alone !== true) return 0;
  const left = drafts.map(({ blockers }) => blockers.length);
  left[index] = 0;
  const queue = [index];
  for (const each of queue) {
    for (const waiter of waiters[each] ?? []) {
      const still = (left[waiter] ?? 0) - 1;
      left[waiter] = still;
      if (still === 0 && waiter !== index) queue.push(waiter);
    }
  }
  return queue.length - 1;
}

function inDrawingOrder(nodes: readonly LockNode[]): readonly LockNode[] {
  const children = Map.groupBy(nodes, ({ parent }) => parent ?? '');
  const ordered: LockNode[] = [];
  const stack = (children.get('') ?? []).toSorted(byWeight).reverse();
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    ordered.push(node);
    stack.push(...(children.get(node.key) ?? []).toSorted(byWeight).reverse());
  }
  return ordered;
}

/** Who frees most, then who has waited longest. */
function byWeight(a: LockNode, b: LockNode): number {
  return b.frees - a.frees || (b.party?.waits?.ms ?? 0) - (a.party?.waits?.ms ?? 0);
}
