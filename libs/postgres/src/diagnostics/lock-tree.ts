import { durationText, type Entity } from '@starr/kernel';
import {
  addressEntity,
  backendEntity,
  clientEntity,
  databaseEntity,
  serverEntity,
} from '../entities.ts';
import type { LockForest, LockNode } from '../lock-forest.ts';

/** Lock modes that let nobody write; what waits for one keeps everybody else waiting too. */
const STRONG = new Set([
  'ShareLock',
  'ShareRowExclusiveLock',
  'ExclusiveLock',
  'AccessExclusiveLock',
]);

/** All that stands behind one session or prepared transaction that itself waits for nobody. */
export interface LockTree {
  readonly root: LockNode;
  /** In the order of drawing, the root left out. */
  readonly waiters: readonly LockNode[];
  /** Waits for a whole table (or, as the root, holds it) with others behind it: DDL or LOCK TABLE. Who frees most first. */
  readonly ddl: readonly LockNode[];
  readonly longestMs: number;
}

/** The trees of a forest, the one with the longest wait first. */
export function treesFrom({ nodes }: LockForest): LockTree[] {
  const trees: { root: LockNode; waiters: LockNode[] }[] = [];
  for (const node of nodes) {
    if (node.parent === undefined) trees.push({ root: node, waiters: [] });
    else trees.at(-1)?.waiters.push(node);
  }
  return trees
    .map(({ root, waiters }) => ({
      root,
      waiters,
      ddl: [root, ...waiters].filter(isDdlAtHead).toSorted((a, b) => b.frees - a.frees),
      longestMs: Math.max(0, ...waiters.map(waitMsOf)),
    }))
    .sort((a, b) => b.longestMs - a.longestMs);
}

export function waitMsOf({ party }: LockNode): number {
  return party?.waits?.ms ?? 0;
}

function isDdlAtHead({ party, blocks }: LockNode): boolean {
  if (party === undefined || blocks === 0) return false;
  const { waits, holds, state } = party;
  if (waits !== undefined) return waits.target === 'table' && STRONG.has(waits.mode);
  return state === 'active' && holds === 'AccessExclusiveLock';
}

export function entityOf({ party, prepared }: LockNode, target: string): Entity {
  if (party !== undefined) return backendEntity(target, party.pid, party.backendStart);
  return prepared === undefined ? serverEntity(target) : databaseEntity(target, prepared.database);
}

/** Who has to do with a tree: the root's client first. */
export function entitiesOf({ root, ddl }: LockTree, target: string): Entity[] {
  return [root, ...ddl].flatMap(({ party }) => {
    if (party?.type !== 'client backend') return [];
    const { address, application, pid, backendStart } = party;
    return [
      backendEntity(target, pid, backendStart),
      clientEntity(target, application, address),
      ...(address === undefined ? [] : [addressEntity(address)]),
    ];
  });
}

/** `a session of batch (pid 4711, idle in transaction for 12 min)`. */
export function nodeInWords({ kind, key, party, prepared }: LockNode): string {
  if (prepared !== undefined)
    return `the prepared transaction ${prepared.gid} of role ${prepared.owner}, ${durationText(prepared.ms)} old,`;
  if (kind === 'prepared') return 'a prepared transaction';
  if (party === undefined) return `a session that has ended since (pid ${key})`;
  const name = party.application === '' ? 'unnamed' : party.application;
  const who = party.type === 'client backend' ? `a session of ${name}` : `the ${party.type}`;
  const does = party.waits === undefined ? party.state : 'waiting itself';
  const state = does === '' ? '' : `, ${does} for ${durationText(party.stateMs)}`;
  return `${who} (pid ${party.pid}${state})`;
}

/** What goes when it is ended. */
export function lossOf({ kind, party }: LockNode): string {
  if (kind === 'prepared') return 'what it prepared; its coordinator may still want to commit it';
  if (party === undefined) return 'not known';
  if (party.writes) {
    const age = durationText(party.transactionMs ?? 0);
    const xids = party.xidAge === undefined ? '' : `, ${party.xidAge} transactions back`;
    return `what a transaction of ${age}${xids} has written`;
  }
  if (party.waits !== undefined) return 'its statement, which has not begun to write';
  if (party.transactionMs === undefined)
    return 'a session that does nothing but hold it (an advisory lock may elect a leader)';
  return `a transaction of ${durationText(party.transactionMs)} that has written nothing`;
}

/** How much is lost: the less, the better it is ended. */
export function weightOfLoss({ kind, party }: LockNode): number {
  if (kind === 'prepared') return 3;
  if (party?.writes === true) return 2;
  return party?.waits === undefined ? 1 : 0;
}
