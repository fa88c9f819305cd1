import { lossOf, type LockNode, type LockParty, type LockWait } from '@starr/postgres';
import type { LockNodeView, LockSessionView, LockWaitView } from '@starr/wire';

/** A node of the forest as callers get it. */
export function lockNodeView(node: LockNode): LockNodeView {
  const { depth, blocks, frees, party, prepared } = node;
  return {
    depth,
    blocks,
    frees,
    loses: lossOf(node),
    blockedBy: party?.waits?.blockers ?? [],
    pid: party?.pid ?? (node.kind === 'prepared' ? 0 : Number(node.key)),
    who:
      party !== undefined
        ? sessionView(party)
        : prepared !== undefined
          ? { kind: 'prepared', ...prepared }
          : { kind: 'gone' },
  };
}

function sessionView(party: LockParty): LockSessionView {
  const { pid: _, waits, ...session } = party;
  return { kind: 'session', ...session, ...(waits && { wait: waitView(waits) }) };
}

function waitView({ ms, mode, target, table }: LockWait): LockWaitView {
  return { ms, mode, target, ...(table && { table: `${table.schema}.${table.name}` }) };
}
