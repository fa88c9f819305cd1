import {
  defineDiagnostic,
  durationText,
  isBlindSpot,
  optional,
  type Limits,
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
  type Spell,
} from './busy-spell.ts';

const thresholds = {
  idleInTransactionWarnMs: IDLE_IN_TRANSACTION_WARN,
  idleInTransactionCriticalMs: {
    value: 600_000,
    unit: 'ms',
    says: 'a transaction in which nothing happens for so long is critical',
    source: 'PerformanceMonitor: 10 min',
  },
} as const;

export const idleInTransaction = defineDiagnostic({
  id: 'db.idle-in-transaction',
  title: 'Transactions in which nothing happens',
  explains:
    'Looks for sessions that opened a transaction and then do nothing in it. They are aged by their last activity, not by their last statement, and weigh more when others wait for them ' +
    'or when they keep vacuum from cleaning (they have written, or hold a snapshot). ' +
    'By hand: a cancel does nothing; pg_terminate_backend(pid) ends the session and rolls its transaction back. idle_in_transaction_session_timeout for the role ends the next one by itself.',
  replaces: [
    "SELECT pid, now() - state_change AS idle, now() - xact_start AS transaction, application_name, query FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' ORDER BY idle DESC;",
  ],
  reads: { busy: busySessionsRead, locks: optional(lockWaitsRead) },
  thresholds,
  measures: {
    idleInTransaction: {
      unit: 'count',
      says: 'sessions that do nothing in an open transaction, however short',
    },
    longestIdleInTransactionMs: {
      unit: 'ms',
      says: 'the longest spell of nothing in an open transaction; 0 when there is none',
    },
  },
  judge: ({ busy, locks }, limits, look) => {
    const idle = spellsFrom(busy.sessions, locks).filter(
      ({ kind }) => kind === 'idle-in-transaction',
    );
    const bad = idle.flatMap((spell) => {
      const severity = severityOf(spell, limits);
      return severity === undefined ? [] : [{ ...spell, severity }];
    });
    const about = serverEntity(look.target);
    return {
      measured: [
        { name: 'idleInTransaction', about, value: idle.length },
        {
          name: 'longestIdleInTransactionMs',
          about,
          value: longestMs(idle, 'idle-in-transaction'),
          limit: limits.idleInTransactionWarnMs,
        },
      ],
      findings: findingsFrom(
        bad,
        {
          measures: 'longestIdleInTransactionMs',
          limit: limits.idleInTransactionWarnMs,
          says: sentence,
        },
        look,
      ),
      blind: [
        ...(isBlindSpot(locks) ? [locks] : []),
        ...(busy.truncated === undefined ? [] : [busy.truncated]),
      ],
    };
  },
});

/** A band up when others wait for it or vacuum cannot clean behind it. */
function severityOf(
  { session, ms, blocks }: Spell,
  limits: Limits<typeof thresholds>,
): Severity | undefined {
  if (ms < limits.idleInTransactionWarnMs) return undefined;
  const harms = blocks > 0 || session.pinsHorizon;
  return ms >= limits.idleInTransactionCriticalMs || harms ? 'critical' : 'warning';
}

function sentence(who: string, spells: readonly Spell[], worst: Spell): string {
  const pins = spells.some(({ session }) => session.pinsHorizon);
  const vacuum = pins ? '; vacuum cannot clean behind it' : '';
  return `${who} did nothing in an open transaction, for up to ${durationText(worst.ms)}${waitersInWords(spells)}${vacuum}`;
}
