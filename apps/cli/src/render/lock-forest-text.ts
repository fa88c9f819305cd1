import { durationText, isBlindSpot, type BlindSpot } from '@starr/kernel';
import type { LockForestView, LockNodeView, LockSessionView } from '@starr/wire';

/** Of the waiters that free nobody and stand in one place, so many are drawn. */
const DRAWN_LEAVES = 8;
const STATEMENT_CHARACTERS = 60;

/** The forest as a tree; a queue of many is cut, and says so. */
export function lockForestText(target: string, forest: LockForestView | BlindSpot): string {
  if (isBlindSpot(forest)) {
    const cure = forest.cure === undefined ? '' : `\n  cure  ${forest.cure}`;
    return `${target}: the locks could not be seen (${forest.why}): ${forest.detail}${cure}`;
  }
  const { nodes, seenAt, truncated } = forest;
  const at = `${seenAt.toISOString().slice(11, 19)} UTC by its own clock`;
  if (nodes.length === 0) return `${target} · ${at}\nNobody waits for a lock.`;
  const waiting = nodes.filter(({ blockedBy }) => blockedBy.length > 0).length;
  const roots = nodes.filter(({ depth }) => depth === 0).length;
  return [
    `${target} · ${at}`,
    `${waiting} ${waiting === 1 ? 'session waits' : 'sessions wait'}, behind ${roots}.`,
    '',
    ...treeLines(nodes),
    ...(truncated ? ['', 'More sessions wait than were asked about.'] : []),
  ].join('\n');
}

function treeLines(nodes: readonly LockNodeView[]): string[] {
  const lines: string[] = [];
  let leaves = 0;
  let left = 0;
  let leafDepth = 0;
  const flush = () => {
    if (left > 0) lines.push(`${indent(leafDepth)}… and ${left} more that wait like these`);
    leaves = 0;
    left = 0;
  };
  for (const node of nodes) {
    const isLeaf = node.depth > 0 && node.frees === 0;
    if (!isLeaf || node.depth !== leafDepth) flush();
    leafDepth = node.depth;
    if (isLeaf) leaves += 1;
    if (isLeaf && leaves > DRAWN_LEAVES) left += 1;
    else lines.push(...nodeLines(node));
  }
  flush();
  return lines;
}

function nodeLines(node: LockNodeView): string[] {
  const { depth, frees, loses, who } = node;
  const margin = indent(depth);
  const head = `${margin}${depth === 0 ? '' : '└ '}${nameOf(node)}`;
  const under = `${margin}${depth === 0 ? '  ' : '    '}`;
  return [
    head,
    ...(who.kind === 'session' && who.wait !== undefined
      ? [`${under}waits ${durationText(who.wait.ms)} for ${wanted(who)}${alsoFor(node)}`]
      : []),
    ...(who.kind === 'session' && who.statement !== ''
      ? [`${under}${who.statement.slice(0, STATEMENT_CHARACTERS)}`]
      : []),
    ...(frees > 0
      ? [`${under}its end frees ${frees} and loses ${loses}`]
      : depth === 0
        ? [`${under}its end alone frees nobody`]
        : []),
  ];
}

function nameOf({ who, pid }: LockNodeView): string {
  switch (who.kind) {
    case 'prepared':
      return `prepared transaction ${who.gid} · role ${who.owner} · database ${who.database} · ${durationText(who.ms)} old`;
    case 'gone':
      return pid === 0 ? 'a prepared transaction' : `pid ${pid}, ended since`;
    case 'session':
      return [
        `pid ${pid}`,
        who.type === 'client backend'
          ? who.application === ''
            ? 'unnamed'
            : who.application
          : who.type,
        ...(who.address === undefined ? [] : [who.address]),
        ...(who.role === '' ? [] : [`role ${who.role}`]),
        ...(who.wait === undefined && who.state !== ''
          ? [`${who.state} ${durationText(who.stateMs)}`]
          : []),
        ...(who.holds === undefined ? [] : [`holds ${who.holds}`]),
      ].join(' · ');
  }
}

function wanted({ wait }: LockSessionView): string {
  if (wait === undefined) return '';
  const { mode, target, table } = wait;
  if (target === 'table') return `${mode} on ${table ?? 'a table of another database'}`;
  if (table !== undefined) return `a ${target} of ${table}`;
  return `${mode} on ${target.startsWith('a') ? 'an' : 'a'} ${target}`;
}

/** One is above it in the drawing; there may be more. */
function alsoFor({ blockedBy }: LockNodeView): string {
  return blockedBy.length > 1 ? `, behind ${blockedBy.length} in all` : '';
}

function indent(depth: number): string {
  return '  '.repeat(depth);
}
