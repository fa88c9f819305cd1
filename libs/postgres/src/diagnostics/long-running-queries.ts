import {
  defineDiagnostic,
  durationText,
  isBlindSpot,
  optional,
  type Entity,
  type Limits,
  type Look,
  type Measurement,
  type Severity,
} from '@starr/kernel';
import { serverEntity } from '../entities.ts';
import { busySessionsRead } from '../reads/busy-sessions.ts';
import { lockWaitsRead } from '../reads/lock-waits.ts';
import {
  findingsFrom,
  IDLE_IN_TRANSACTION_WARN,
  longestMs,
  spellsFrom,
  waitersInWords,
  type BadSpell,
  type Spell,
} from './busy-spell.ts';

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
  transactionWarnMs: {
    value: 1_800_000,
    unit: 'ms',
    says: 'a transaction that has been open for so long, whatever it does, is a warning',
    source: 'pganalyze/pganalyze-docs util/checks/index.ts (1800 s)',
  },
  transactionCriticalMs: {
    value: 3_600_000,
    unit: 'ms',
    says: 'a transaction that has been open for so long is critical',
    source: 'pganalyze/pganalyze-docs util/checks/index.ts (3600 s)',
  },
  idleInTransactionWarnMs: {
    ...IDLE_IN_TRANSACTION_WARN,
    says: 'from here on a pause in a transaction is one of db.idle-in-transaction, and no longer one of a transaction that works',
  },
} as const;

type RunLimits = Limits<typeof thresholds>;

export const longRunningQueries = defineDiagnostic({
  id: 'db.long-running-queries',
  title: 'Statements and transactions that do not end',
  explains:
    'Looks for statements that run for long, and for transactions that work on for long with short statements. A session that itself waits for a lock is a victim and is only counted ' +
    '(db.lock-waits says for whom); transactions in which nothing happens are those of db.idle-in-transaction, clients that stopped in a request those of db.wedged-sessions. ' +
    'By hand: pg_cancel_backend(pid) ends a statement, and with it its transaction.',
  replaces: [
    "SELECT pid, now() - query_start AS age, state, query FROM pg_stat_activity WHERE state <> 'idle' ORDER BY age DESC;",
    'SELECT pid, now() - xact_start AS age, state, query FROM pg_stat_activity WHERE xact_start IS NOT NULL ORDER BY age DESC;',
  ],
  reads: { busy: busySessionsRead, locks: optional(lockWaitsRead) },
  thresholds,
  measures: {
    longestActiveMs: {
      unit: 'ms',
      says: 'the longest running statement, lock waiters left out; 0 when none runs',
    },
    longestTransactionMs: {
      unit: 'ms',
      says: 'the longest open transaction, whatever it does; 0 when none is open',
    },
    lockWaiters: { unit: 'count', says: 'sessions that wait for a lock' },
    longestLockWaitMs: {
      unit: 'ms',
      says: 'the longest running statement that waits for a lock; 0 when none waits',
    },
  },
  judge: ({ busy, locks }, limits, look) => {
    const spells = spellsFrom(busy.sessions, locks);
    return {
      measured: measurementsOf(serverEntity(look.target), spells, limits),
      findings: [
        ...statementFindings(spells, limits, look),
        ...transactionFindings(spells, limits, look),
      ],
      blind: [
        ...(isBlindSpot(locks) ? [locks] : []),
        ...(busy.truncated === undefined ? [] : [busy.truncated]),
      ],
    };
  },
});

function statementFindings(spells: readonly Spell[], limits: RunLimits, look: Look) {
  const bad = spells
    .filter(({ kind }) => kind === 'active')
    .flatMap((spell) => graded(spell, spell.ms, limits.activeWarnMs, limits.activeCriticalMs));
  return findingsFrom(
    bad,
    {
      measures: 'longestActiveMs',
      limit: limits.activeWarnMs,
      says: (who, own, worst) =>
        `${who} ran a statement for up to ${durationText(worst.ms)}${waitersInWords(own)}`,
    },
    look,
  );
}

/** Of what works, whether in a statement or between two. */
function transactionFindings(spells: readonly Spell[], limits: RunLimits, look: Look) {
  const bad = spells
    .filter((spell) => works(spell, limits))
    .flatMap((spell) => {
      const ms = spell.session.transactionMs ?? 0;
      return graded({ ...spell, ms }, ms, limits.transactionWarnMs, limits.transactionCriticalMs);
    });
  return findingsFrom(
    bad,
    {
      measures: 'longestTransactionMs',
      limit: limits.transactionWarnMs,
      says: (who, own, worst) => {
        const pins = own.some(({ session }) => session.pinsHorizon);
        const vacuum = pins ? '; vacuum cannot clean behind it' : '';
        return `${who} has worked in one transaction for up to ${durationText(worst.ms)}${waitersInWords(own)}${vacuum}`;
      },
    },
    look,
  );
}

/** A long statement is told as one, a long pause as another. */
function works({ kind, ms }: Spell, limits: RunLimits): boolean {
  switch (kind) {
    case 'active':
      return ms < limits.activeWarnMs;
    case 'idle-in-transaction':
      return ms < limits.idleInTransactionWarnMs;
    case 'waits-for-lock':
    case 'wedged':
      return false;
  }
}

function graded(spell: Spell, ms: number, warnMs: number, criticalMs: number): BadSpell[] {
  if (ms < warnMs) return [];
  const severity: Severity = ms >= criticalMs ? 'critical' : 'warning';
  return [{ ...spell, severity }];
}

function measurementsOf(about: Entity, spells: readonly Spell[], limits: RunLimits): Measurement[] {
  return [
    {
      name: 'longestActiveMs',
      about,
      value: longestMs(spells, 'active'),
      limit: limits.activeWarnMs,
    },
    {
      name: 'longestTransactionMs',
      about,
      value: Math.max(0, ...spells.map(({ session }) => session.transactionMs ?? 0)),
      limit: limits.transactionWarnMs,
    },
    {
      name: 'lockWaiters',
      about,
      value: spells.filter(({ kind }) => kind === 'waits-for-lock').length,
    },
    { name: 'longestLockWaitMs', about, value: longestMs(spells, 'waits-for-lock') },
  ];
}
