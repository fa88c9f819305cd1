import {
  defineDiagnostic,
  durationText,
  isBlindSpot,
  optional,
  type Entity,
  type Finding,
  type Limits,
  type Look,
  type Measurement,
  type Row,
  type Severity,
} from '@starr/kernel';
import {
  addressEntity,
  applicationEntity,
  backendEntity,
  clientEntity,
  serverEntity,
} from '../entities.ts';
import { blockersRead, type Blocker } from '../reads/blockers.ts';
import { busySessionsRead, type BusySession } from '../reads/busy-sessions.ts';

const ROWS = 10;
const MOST_FINDINGS = 10;

const thresholds = {
  activeWarnMs: {
    value: 60_000,
    unit: 'ms',
    says: 'a statement running for so long is a warning',
    source: 'ankane/pghero lib/pghero.rb long_running_query_sec',
  },
  activeCriticalMs: {
    value: 1_800_000,
    unit: 'ms',
    says: 'a statement running for so long is critical',
    source: 'pganalyze/pganalyze-docs util/checks/index.ts (1800 s)',
  },
  idleInTransactionWarnMs: {
    value: 60_000,
    unit: 'ms',
    says: 'a transaction in which nothing happens for so long is a warning; critical when others wait for it or vacuum cannot clean behind it',
    source:
      'PerformanceMonitor: 99 % of such spells end within 50 ms, the longest of a week was 27.7 s',
  },
  idleInTransactionCriticalMs: {
    value: 600_000,
    unit: 'ms',
    says: 'a transaction in which nothing happens for so long is critical',
    source: 'PerformanceMonitor: 10 min',
  },
} as const;

type RunLimits = Limits<typeof thresholds>;

export const longRunningQueries = defineDiagnostic({
  id: 'db.long-running-queries',
  title: 'Statements and transactions that do not end',
  explains:
    'Looks for statements that run for long, and for transactions in which nothing happens: those are aged by their last activity, and weigh more when others wait for them ' +
    'or when they keep vacuum from cleaning. A session that itself waits for a lock is a victim and is only counted. ' +
    'By hand: pg_cancel_backend(pid) ends a statement; an idle transaction, or a client that stopped in the middle of a request, ends only by pg_terminate_backend(pid).',
  replaces: [
    "SELECT pid, now() - query_start AS age, state, query FROM pg_stat_activity WHERE state <> 'idle' ORDER BY age DESC;",
    'SELECT pid, pg_blocking_pids(pid) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0;',
  ],
  reads: { busy: busySessionsRead, blockers: optional(blockersRead) },
  thresholds,
  measures: {
    longestActiveMs: {
      unit: 'ms',
      says: 'the longest running statement, lock waiters left out; 0 when none runs',
    },
    longestIdleInTransactionMs: {
      unit: 'ms',
      says: 'the longest spell of nothing in an open transaction; 0 when there is none',
    },
    lockWaiters: { unit: 'count', says: 'sessions that wait for a lock' },
    longestLockWaitMs: {
      unit: 'ms',
      says: 'the longest running statement that waits for a lock; 0 when none waits',
    },
  },
  judge: ({ busy, blockers }, limits, look) => {
    const blocks = blockedBy(isBlindSpot(blockers) ? [] : blockers);
    const spells = busy.sessions.map((session) => spellOf(session, blocks, limits));
    const bad = spells.filter(({ severity }) => severity !== undefined);
    const groups = Map.groupBy(bad, ({ kind, session }) => `${kind} ${session.application}`);
    const findings = [...groups.values()]
      .map((group) => findingFrom(group, limits, look))
      .sort((a, b) => rank(b) - rank(a))
      .slice(0, MOST_FINDINGS);
    return {
      measured: measurementsOf(serverEntity(look.target), spells, limits),
      findings,
      blind: isBlindSpot(blockers) ? [blockers] : [],
    };
  },
});

/** What a session is at, and for how long. */
interface Spell {
  readonly kind: 'active' | 'waits-for-client' | 'idle-in-transaction' | 'waits-for-lock';
  readonly session: BusySession;
  readonly ms: number;
  /** How many sessions wait for it, directly. */
  readonly blocks: number;
  readonly severity: Severity | undefined;
}

function blockedBy(blockers: readonly Blocker[]): ReadonlyMap<number, number> {
  return new Map(blockers.map(({ pid, blocks }) => [pid, blocks]));
}

function spellOf(
  session: BusySession,
  blockers: ReadonlyMap<number, number>,
  limits: RunLimits,
): Spell {
  const kind = kindOf(session);
  const blocks = blockers.get(session.pid) ?? 0;
  const ms = kind === 'idle-in-transaction' ? session.stateMs : session.statementMs;
  return { kind, session, ms, blocks, severity: severityOf(kind, session, ms, blocks, limits) };
}

function kindOf({ state, waitsFor, waitEvent }: BusySession): Spell['kind'] {
  if (state.startsWith('idle in transaction')) return 'idle-in-transaction';
  if (waitsFor === 'Lock') return 'waits-for-lock';
  // Parse and Bind came, Sync did not: the client stopped in the middle of its request, and a cancel does nothing.
  return waitsFor === 'Client' && waitEvent === 'ClientRead' ? 'waits-for-client' : 'active';
}

function severityOf(
  kind: Spell['kind'],
  { pinsHorizon }: BusySession,
  ms: number,
  blocks: number,
  limits: RunLimits,
): Severity | undefined {
  switch (kind) {
    case 'waits-for-lock':
      return undefined;
    case 'active':
    case 'waits-for-client':
      if (ms < limits.activeWarnMs) return undefined;
      return ms >= limits.activeCriticalMs ? 'critical' : 'warning';
    case 'idle-in-transaction': {
      if (ms < limits.idleInTransactionWarnMs) return undefined;
      const harms = blocks > 0 || pinsHorizon;
      return ms >= limits.idleInTransactionCriticalMs || harms ? 'critical' : 'warning';
    }
  }
}

/** Sessions of one application that are at the same. The list is never empty. */
function findingFrom(group: readonly Spell[], limits: RunLimits, look: Look): Finding {
  const spells = group.toSorted((a, b) => b.ms - a.ms);
  const [worst] = spells;
  if (worst === undefined) throw new TypeError('a group has a member');
  const about = applicationEntity(look.target, worst.session.application);
  const idle = worst.kind === 'idle-in-transaction';
  return {
    severity: spells.some(({ severity }) => severity === 'critical') ? 'critical' : 'warning',
    about,
    says: sentence(spells, worst, about),
    since: new Date(look.now.getTime() - worst.ms),
    measured: [
      idle
        ? {
            name: 'longestIdleInTransactionMs',
            about,
            value: worst.ms,
            limit: limits.idleInTransactionWarnMs,
          }
        : { name: 'longestActiveMs', about, value: worst.ms, limit: limits.activeWarnMs },
    ],
    rows: spells.slice(0, ROWS).map(rowOf),
    involves: spells
      .slice(0, ROWS)
      .flatMap(({ session }) => [
        backendEntity(look.target, session.pid, session.backendStart),
        clientEntity(look.target, session.application, session.address),
        ...(session.address === undefined ? [] : [addressEntity(session.address)]),
      ]),
  };
}

function sentence(spells: readonly Spell[], worst: Spell, about: Entity): string {
  const long = durationText(worst.ms);
  const who = spells.length === 1 ? 'a session' : `${spells.length} sessions`;
  const blocked = spells.reduce((sum, { blocks }) => sum + blocks, 0);
  const waiting =
    blocked === 0 ? '' : `; ${blocked} wait for ${spells.length === 1 ? 'it' : 'them'}`;
  switch (worst.kind) {
    case 'idle-in-transaction': {
      const pins = spells.some(({ session }) => session.pinsHorizon);
      const vacuum = pins ? '; vacuum cannot clean behind it' : '';
      return `${who} of ${about.name} did nothing in an open transaction, for up to ${long}${waiting}${vacuum}`;
    }
    case 'waits-for-client':
      return `${who} of ${about.name} stopped in the middle of a request ${long} ago${waiting}; a cancel does nothing, only ending the session does`;
    default:
      return `${who} of ${about.name} ran a statement for up to ${long}${waiting}`;
  }
}

function rowOf({ session, ms, blocks }: Spell): Row {
  return {
    pid: session.pid,
    backendStart: { moment: session.backendStart },
    state: session.state,
    application: session.application,
    ...(session.address !== undefined && { address: session.address }),
    role: session.role,
    database: session.database,
    for: { durationMs: ms },
    ...(session.transactionMs !== undefined && {
      transaction: { durationMs: session.transactionMs },
    }),
    ...(session.waitsFor !== undefined && { waitsFor: session.waitsFor }),
    blocks,
    statement: session.statement,
  };
}

function measurementsOf(about: Entity, spells: readonly Spell[], limits: RunLimits): Measurement[] {
  const longest = (...kinds: readonly Spell['kind'][]) =>
    Math.max(0, ...spells.filter(({ kind }) => kinds.includes(kind)).map(({ ms }) => ms));
  return [
    {
      name: 'longestActiveMs',
      about,
      value: longest('active', 'waits-for-client'),
      limit: limits.activeWarnMs,
    },
    {
      name: 'longestIdleInTransactionMs',
      about,
      value: longest('idle-in-transaction'),
      limit: limits.idleInTransactionWarnMs,
    },
    {
      name: 'lockWaiters',
      about,
      value: spells.filter(({ kind }) => kind === 'waits-for-lock').length,
    },
    { name: 'longestLockWaitMs', about, value: longest('waits-for-lock') },
  ];
}

/** Critical first, then those that have lasted longest. */
function rank({ severity, measured }: Finding): number {
  return (severity === 'critical' ? 1e15 : 0) + (measured[0]?.value ?? 0);
}
