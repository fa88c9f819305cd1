import {
  isBlindSpot,
  type BlindSpot,
  type Entity,
  type Finding,
  type Look,
  type Row,
  type Severity,
} from '@starr/kernel';
import { addressEntity, applicationEntity, backendEntity, clientEntity } from '../entities.ts';
import { directWaiters } from '../lock-forest.ts';
import type { LockWaits } from '../lock-party.ts';
import type { BusySession } from '../reads/busy-sessions.ts';

const ROWS = 10;
const MOST_FINDINGS = 10;

/** Shared by the checks that ask for idle transactions and for long ones. */
export const IDLE_IN_TRANSACTION_WARN = {
  value: 60_000,
  unit: 'ms',
  says: 'a transaction in which nothing happens for so long is a warning; critical when others wait for it or vacuum cannot clean behind it',
  source:
    'PerformanceMonitor: 99 % of such spells end within 50 ms, the longest of a week was 27.7 s',
} as const;

/** What a session is at, and for how long. */
export interface Spell {
  readonly kind: 'active' | 'wedged' | 'idle-in-transaction' | 'waits-for-lock';
  readonly session: BusySession;
  readonly ms: number;
  /** How many sessions wait for it, directly. 0 too when that could not be seen. */
  readonly blocks: number;
}

export function spellsFrom(
  sessions: readonly BusySession[],
  locks: LockWaits | BlindSpot,
): Spell[] {
  const blocks = directWaiters(isBlindSpot(locks) ? [] : locks.parties);
  return sessions.map((session) => {
    const kind = kindOf(session);
    const ms = kind === 'idle-in-transaction' ? session.stateMs : session.statementMs;
    return { kind, session, ms, blocks: blocks.get(session.pid) ?? 0 };
  });
}

function kindOf({ state, waitsFor, waitEvent, statement }: BusySession): Spell['kind'] {
  if (state.startsWith('idle in transaction')) return 'idle-in-transaction';
  if (waitsFor === 'Lock') return 'waits-for-lock';
  // Parse and Bind came, Sync did not: the client stopped in the middle of its request. COPY … FROM STDIN looks the same while it works.
  const isLeft = waitsFor === 'Client' && waitEvent === 'ClientRead' && !/^copy\b/i.test(statement);
  return isLeft ? 'wedged' : 'active';
}

/** A spell that is too long. */
export interface BadSpell extends Spell {
  readonly severity: Severity;
}

/** What the findings of one check say of their sessions. */
export interface SpellWords {
  /** The measurement that the spells are held against, and its limit. */
  readonly measures: string;
  readonly limit: number;
  /** Of the sessions of one application, worst first, never empty: `a session of checkout did nothing …`. */
  says(who: string, spells: readonly Spell[], worst: Spell): string;
}

/** One finding an application, critical first, then by the longest spell. */
export function findingsFrom(bad: readonly BadSpell[], words: SpellWords, look: Look): Finding[] {
  return [...Map.groupBy(bad, ({ session }) => session.application).values()]
    .map((group) =>
      findingFrom(
        group.toSorted((a, b) => b.ms - a.ms),
        words,
        look,
      ),
    )
    .sort((a, b) => rank(b) - rank(a))
    .slice(0, MOST_FINDINGS);
}

function findingFrom(spells: readonly BadSpell[], words: SpellWords, look: Look): Finding {
  const [worst] = spells;
  if (worst === undefined) throw new TypeError('a group has a member');
  const about = applicationEntity(look.target, worst.session.application);
  const who = spells.length === 1 ? 'a session' : `${spells.length} sessions`;
  return {
    severity: spells.some(({ severity }) => severity === 'critical') ? 'critical' : 'warning',
    about,
    says: words.says(`${who} of ${about.name}`, spells, worst),
    since: new Date(look.now.getTime() - worst.ms),
    measured: [{ name: words.measures, about, value: worst.ms, limit: words.limit }],
    rows: spells.slice(0, ROWS).map(rowOf),
    involves: spells.slice(0, ROWS).flatMap(({ session }) => entitiesOf(session, look.target)),
  };
}

function entitiesOf({ pid, backendStart, application, address }: BusySession, target: string) {
  const client: Entity = clientEntity(target, application, address);
  return [
    backendEntity(target, pid, backendStart),
    client,
    ...(address === undefined ? [] : [addressEntity(address)]),
  ];
}

/** `; 3 wait for it`, or nothing. */
export function waitersInWords(spells: readonly Spell[]): string {
  const waiting = spells.reduce((sum, { blocks }) => sum + blocks, 0);
  return waiting === 0 ? '' : `; ${waiting} wait for ${spells.length === 1 ? 'it' : 'them'}`;
}

/** The longest of some kinds; 0 when there is none. */
export function longestMs(spells: readonly Spell[], ...kinds: readonly Spell['kind'][]): number {
  return Math.max(0, ...spells.filter(({ kind }) => kinds.includes(kind)).map(({ ms }) => ms));
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

function rank({ severity, measured }: Finding): number {
  return (severity === 'critical' ? 1e15 : 0) + (measured[0]?.value ?? 0);
}
