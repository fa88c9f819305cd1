import {
  blindSpot,
  defineDiagnostic,
  durationText,
  type Finding,
  type Limits,
  type Look,
  type Measurement,
  type Row,
  type Severity,
} from '@starr/kernel';
import { serverEntity } from '../entities.ts';
import { lockForestFrom, type LockNode } from '../lock-forest.ts';
import { lockWaitsRead } from '../reads/lock-waits.ts';
import {
  entitiesOf,
  entityOf,
  lossOf,
  nodeInWords,
  treesFrom,
  waitMsOf,
  weightOfLoss,
  type LockTree,
} from './lock-tree.ts';

const MOST_FINDINGS = 5;
const MOST_WAYS = 5;
const MOST_WAITERS = 10;

const thresholds = {
  blockedWarnMs: {
    value: 10_000,
    unit: 'ms',
    says: 'one session that waits for a lock for so long is a warning; critical when a change of the table stands at the head of the queue',
    source:
      'Starr: a sixth of check_postgres lockwait; what is queued behind a change is felt at once',
  },
  blockedCriticalMs: {
    value: 60_000,
    unit: 'ms',
    says: 'a wait that counts towards critical',
    source: 'bucardo/check_postgres lockwait (1 min)',
  },
  blockedCritical: {
    value: 3,
    unit: 'count',
    says: 'so many sessions that wait so long behind one are critical',
    source: 'pganalyze/pganalyze-docs util/checks/index.ts (blocks >= 3 queries)',
  },
} as const;

type WaitLimits = Limits<typeof thresholds>;

export const lockWaits = defineDiagnostic({
  id: 'db.lock-waits',
  title: 'Sessions that wait for locks, and for whom',
  explains:
    'Builds the true forest of lock waits out of pg_blocking_pids: soft blocks in a queue, advisory locks, prepared transactions and parallel leaders included. Each finding is about what stands at ' +
    'the root of a tree: what it holds up, for how long, who is freed if it goes and what is lost with it. A change of a table that waits at the head of a queue holds up everybody who comes after it. ' +
    'Before 14 a wait is aged by its statement: at most so long. ' +
    'By hand: end the root, or cancel the change that waits; starr db locks draws the forest.',
  replaces: [
    'SELECT pid, pg_blocking_pids(pid), query FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0;',
    'SELECT * FROM pg_locks WHERE NOT granted;',
    'SELECT gid, prepared, owner, database FROM pg_prepared_xacts ORDER BY prepared;',
  ],
  reads: { locks: lockWaitsRead },
  thresholds,
  measures: {
    blockedSessions: { unit: 'count', says: 'sessions that wait for a lock' },
    longestBlockedMs: { unit: 'ms', says: 'the longest of these waits; 0 when nobody waits' },
    ddlAtHead: {
      unit: 'count',
      says: 'changes of tables that wait, or run, with others waiting behind them',
    },
    ddlWaiting: { unit: 'count', says: 'of these, those that wait themselves' },
    freesSessions: { unit: 'count', says: 'waiters that go on when this one goes' },
  },
  judge: ({ locks }, limits, look) => {
    const forest = lockForestFrom(locks);
    const trees = treesFrom(forest);
    const about = serverEntity(look.target);
    const waiting = forest.nodes.filter(({ blockedBy }) => blockedBy.length > 0);
    return {
      measured: [
        { name: 'blockedSessions', about, value: waiting.length },
        {
          name: 'longestBlockedMs',
          about,
          value: Math.max(0, ...waiting.map(waitMsOf)),
          limit: limits.blockedWarnMs,
        },
        { name: 'ddlAtHead', about, value: trees.reduce((sum, { ddl }) => sum + ddl.length, 0) },
      ],
      findings: trees
        .flatMap((tree) => findingFrom(tree, limits, look) ?? [])
        .sort((a, b) => rank(b) - rank(a))
        .slice(0, MOST_FINDINGS),
      blind: locks.truncated
        ? [blindSpot('truncated', 'more sessions wait for locks than were asked about')]
        : [],
    };
  },
});

function findingFrom(tree: LockTree, limits: WaitLimits, look: Look): Finding | undefined {
  const severity = severityOf(tree, limits);
  if (severity === undefined) return undefined;
  const about = entityOf(tree.root, look.target);
  const measured = (name: string, value: number, limit?: number): Measurement => ({
    name,
    about,
    value,
    ...(limit !== undefined && { limit }),
  });
  return {
    severity,
    about,
    says: sentence(tree),
    since: new Date(look.now.getTime() - tree.longestMs),
    measured: [
      measured('longestBlockedMs', tree.longestMs, limits.blockedWarnMs),
      measured('blockedSessions', tree.waiters.length),
      measured('ddlAtHead', tree.ddl.length),
      measured('ddlWaiting', tree.ddl.filter((node) => node !== tree.root).length),
      measured('freesSessions', tree.root.frees),
    ],
    rows: [...waysOut(tree), ...waitersOf(tree)],
    involves: entitiesOf(tree, look.target),
  };
}

function severityOf(tree: LockTree, limits: WaitLimits): Severity | undefined {
  if (tree.longestMs < limits.blockedWarnMs || tree.waiters.length === 0) return undefined;
  if (tree.ddl.length > 0) return 'critical';
  const long = tree.waiters.filter((node) => waitMsOf(node) >= limits.blockedCriticalMs).length;
  return long >= limits.blockedCritical ? 'critical' : 'warning';
}

function sentence({ root, waiters, ddl, longestMs }: LockTree): string {
  const held = `${nodeInWords(root)} holds up ${sessions(waiters.length)} for up to ${durationText(longestMs)}${onWhat(waiters)}`;
  const [first] = ddl;
  if (first?.party === undefined) return held;
  if (first === root) return `${held}, and changes it (${first.party.holds ?? ''})`;
  const { pid, application, waits } = first.party;
  const name = application === '' ? '' : ` of ${application}`;
  return `${held}; pid ${pid}${name} waits for ${waits?.mode ?? ''} in front of ${first.frees === 1 ? '1 of them' : `${first.frees} of them`}`;
}

function sessions(count: number): string {
  return count === 1 ? '1 session' : `${count} sessions`;
}

/** What the direct waiters want, where it is one thing. */
function onWhat(waiters: readonly LockNode[]): string {
  const things = new Set(
    waiters.flatMap(({ party }) => {
      const { target, table } = party?.waits ?? {};
      if (target === undefined || target === 'other') return [];
      const name = table === undefined ? undefined : `${table.schema}.${table.name}`;
      if (target === 'row') return [name === undefined ? 'a row' : `a row of ${name}`];
      if (target === 'table') return [name ?? 'a table of another database'];
      return [target === 'transaction' ? 'its transaction' : `an ${target}`];
    }),
  );
  const [only] = things;
  return only === undefined || things.size > 1 ? '' : ` on ${only}`;
}

/** Whom to end, who frees most first and, of those who free as many, who loses least. Columns tell the root from a change that waits. */
function waysOut({ root, waiters, ddl }: LockTree): Row[] {
  const [change] = ddl.filter((node) => node !== root);
  return [root, ...waiters]
    .filter((node) => node === root || node.frees > 0)
    .toSorted((a, b) => b.frees - a.frees || weightOfLoss(a) - weightOfLoss(b))
    .slice(0, MOST_WAYS)
    .map((node) => ({
      ...named(node, node === root ? 'pid' : node === change ? 'ddlPid' : 'waiter'),
      frees: node.frees,
      loses: lossOf(node),
    }));
}

function waitersOf({ waiters }: LockTree): Row[] {
  return waiters
    .filter(({ frees }) => frees === 0)
    .toSorted((a, b) => waitMsOf(b) - waitMsOf(a))
    .slice(0, MOST_WAITERS)
    .map((node) => named(node, 'waiter'));
}

function named({ party, prepared }: LockNode, column: 'pid' | 'ddlPid' | 'waiter'): Row {
  if (party === undefined) {
    return prepared === undefined
      ? {}
      : { gid: prepared.gid, role: prepared.owner, database: prepared.database };
  }
  const { waits, holds } = party;
  return {
    [column]: party.pid,
    ...(column !== 'waiter' && {
      [column === 'pid' ? 'backendStart' : 'ddlStart']: party.backendStart,
    }),
    application: party.application,
    ...(party.address !== undefined && { address: party.address }),
    role: party.role,
    database: party.database,
    state: party.state,
    ...(party.transactionMs !== undefined && {
      transaction: { durationMs: party.transactionMs },
    }),
    ...(holds !== undefined && { holds }),
    ...(waits !== undefined && {
      waits: { durationMs: waits.ms },
      wants: `${waits.mode} on ${waits.table === undefined ? `a ${waits.target}` : `${waits.table.schema}.${waits.table.name}`}`,
    }),
    statement: party.statement,
  };
}

function rank({ severity, measured }: Finding): number {
  return (severity === 'critical' ? 1e15 : 0) + (measured[0]?.value ?? 0);
}
