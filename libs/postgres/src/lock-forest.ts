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

interface Draft {
  readonly key: string;
  readonly kind: LockNode['kind'];
  readonly party?: LockParty;
  readonly prepared?: PreparedTransaction;
  readonly blockedBy: readonly string[];
}

/** The forest of what pg_blocking_pids told, in time linear in its edges for each session that holds others up alone. */
export function lockForestFrom({ parties, truncated }: LockWaits): LockForest {
  const drafts = draftsFrom(parties);
  const waiters = waitersOf(drafts);
  const depths = depthsOf(drafts, waiters);
  const nodes = new Map<string, LockNode>();
  for (const draft of drafts.values()) {
    const parent = parentOf(draft, depths);
    nodes.set(draft.key, {
      ...draft,
      depth: depths.get(draft.key) ?? 0,
      ...(parent !== undefined && { parent }),
      blocks: waiters.get(draft.key)?.length ?? 0,
      frees: freedBy(draft.key, drafts, waiters),
    });
  }
  return { nodes: inDrawingOrder(nodes), truncated };
}

/** pid → how many wait for it directly. */
export function directWaiters(parties: readonly LockParty[]): ReadonlyMap<number, number> {
  const waiters = new Map<number, number>();
  for (const { waits } of parties)
    for (const pid of waits?.blockers ?? []) waiters.set(pid, (waiters.get(pid) ?? 0) + 1);
  return waiters;
}

/** The key of a session. */
export function sessionKey(pid: number): string {
  return String(pid);
}

function draftsFrom(parties: readonly LockParty[]): ReadonlyMap<string, Draft> {
  const drafts = new Map<string, Draft>();
  for (const party of parties) {
    const key = sessionKey(party.pid);
    drafts.set(key, { key, kind: 'session', party, blockedBy: blockersOf(party) });
  }
  for (const { waits } of parties) {
    for (const prepared of waits?.prepared ?? [])
      drafts.set(preparedKey(prepared), {
        key: preparedKey(prepared),
        kind: 'prepared',
        prepared,
        blockedBy: [],
      });
    for (const key of waits === undefined ? [] : waits.blockers.map(sessionKey)) {
      // a session that ended between the two looks, or a prepared transaction of which nothing else is known
      const kind = key === sessionKey(0) ? 'prepared' : 'session';
      const isNamed = kind === 'prepared' && (waits?.prepared.length ?? 0) > 0;
      if (!isNamed && !drafts.has(key)) drafts.set(key, { key, kind, blockedBy: [] });
    }
  }
  return drafts;
}

function blockersOf({ waits }: LockParty): string[] {
  if (waits === undefined) return [];
  return waits.blockers.flatMap((pid) =>
    pid === 0 && waits.prepared.length > 0 ? waits.prepared.map(preparedKey) : [sessionKey(pid)],
  );
}

function preparedKey({ gid }: PreparedTransaction): string {
  return `prepared ${gid}`;
}

/** Key → the keys of those who wait for it directly. */
function waitersOf(drafts: ReadonlyMap<string, Draft>): ReadonlyMap<string, readonly string[]> {
  const waiters = new Map<string, string[]>();
  for (const { key, blockedBy } of drafts.values()) {
    for (const blocker of blockedBy) {
      const list = waiters.get(blocker);
      if (list === undefined) waiters.set(blocker, [key]);
      else list.push(key);
    }
  }
  return waiters;
}

/** How far from a root. Those who wait for each other in a circle have none: the server ends one of them within a second. */
function depthsOf(
  drafts: ReadonlyMap<string, Draft>,
  waiters: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, number> {
  const depths = new Map<string, number>();
  const reach = (from: string): void => {
    depths.set(from, 0);
    const queue = [from];
    for (const key of queue) {
      for (const waiter of waiters.get(key) ?? []) {
        const depth = (depths.get(key) ?? 0) + 1;
        if ((depths.get(waiter) ?? Infinity) <= depth) continue;
        depths.set(waiter, depth);
        queue.push(waiter);
      }
    }
  };
  for (const { key, blockedBy } of drafts.values()) if (blockedBy.length === 0) reach(key);
  for (const key of drafts.keys()) if (!depths.has(key)) reach(key);
  return depths;
}

function parentOf(
  { key, blockedBy }: Draft,
  depths: ReadonlyMap<string, number>,
): string | undefined {
  if ((depths.get(key) ?? 0) === 0) return undefined;
  const depthOf = (each: string) => depths.get(each) ?? Infinity;
  return blockedBy.reduce((best, each) => (depthOf(each) < depthOf(best) ? each : best));
}

/** Only who is the sole blocker of somebody frees anybody; from there on, those who are freed free others. */
function freedBy(
  key: string,
  drafts: ReadonlyMap<string, Draft>,
  waiters: ReadonlyMap<string, readonly string[]>,
): number {
  const alone = waiters.get(key)?.some((each) => drafts.get(each)?.blockedBy.length === 1);
  if (alone !== true) return 0;
  const left = new Map<string, number>();
  const gone = new Set([key]);
  const queue = [key];
  for (const each of queue) {
    for (const waiter of waiters.get(each) ?? []) {
      if (gone.has(waiter)) continue;
      const still = (left.get(waiter) ?? drafts.get(waiter)?.blockedBy.length ?? 0) - 1;
      left.set(waiter, still);
      if (still > 0) continue;
      gone.add(waiter);
      queue.push(waiter);
    }
  }
  return queue.length - 1;
}

function inDrawingOrder(nodes: ReadonlyMap<string, LockNode>): readonly LockNode[] {
  const children = Map.groupBy(nodes.values(), ({ parent }) => parent ?? '');
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
