import { DoctorError, type JournalOutcome } from '@starr/kernel';
import { writeAudit } from './audit.ts';
import type { Database, Query } from './database.ts';
import type { Lease } from './leases.ts';
import { violatedConstraint } from './store-error.ts';
import { storableText } from './stored-json.ts';

/** Written before the act, never changed. Exists: the operation may have been sent. Exists not: it was not. */
export interface Intent {
  readonly operation: string;
  readonly plan: string;
  /** 0 is the first of the plan. */
  readonly position: number;
  readonly fence: bigint;
  readonly actor: string;
  readonly at: Date;
}

export interface NewIntent {
  readonly operation: string;
  readonly plan: string;
  readonly position: number;
  readonly actor: string;
}

export interface NewOutcome {
  readonly outcome: JournalOutcome;
  /** The doctor's sealed proof; absent unless applied or partial. */
  readonly receipt?: string;
  /** In a sentence. */
  readonly says: string;
  /** The answer to the act, or a probe afterwards. */
  readonly knownBy: 'answer' | 'probe';
}

export interface StoredOutcome extends NewOutcome {
  readonly at: Date;
}

/** An operation as the journal knows it. */
export interface JournalEntry extends Intent {
  /** The newest; absent: not known yet, to be probed. */
  readonly outcome?: StoredOutcome;
}

/** What was meant, and what came of it. Rows are only ever added. */
export interface Journal {
  /**
   * Commits the intent, only while the lease holds. REMEDY_BUSY: the lease is lost. REMEDY_REFUSED: this operation
   * has an intent already and must not be sent again. When it fails otherwise, the row may be there: do not act.
   */
  intend(intent: NewIntent, lease: Lease): Promise<void>;
  /** Adds an outcome. Idempotent: a second final one is left out. True: this one counts. */
  conclude(operation: string, outcome: NewOutcome): Promise<boolean>;
  /** All of a plan, in order. */
  ofPlan(plan: string): Promise<readonly JournalEntry[]>;
  /** Intents without a final outcome, oldest first: crashed, lost, or in progress elsewhere. */
  open(): Promise<readonly JournalEntry[]>;
}

interface EntryRow {
  readonly operation: string;
  readonly plan: string;
  readonly position: number;
  readonly fence: string;
  readonly actor: string;
  readonly at: Date;
  readonly outcome: JournalOutcome | null;
  readonly known_by: 'answer' | 'probe' | null;
  readonly receipt: string | null;
  readonly says: string | null;
  readonly known_at: Date | null;
}

const ENTRIES = `
  SELECT i.operation, i.plan, i.position, i.fence, i.actor, i.at,
         o.outcome, o.known_by, o.receipt, o.says, o.at AS known_at
  FROM starr.intents i
  LEFT JOIN LATERAL (SELECT * FROM starr.outcomes o WHERE o.operation = i.operation ORDER BY number DESC LIMIT 1) o ON true`;

export function createJournal(database: Database): Journal {
  return {
    intend: async (intent, lease) => {
      try {
        await database.transaction((query) => intend(query, intent, lease));
      } catch (thrown) {
        if (violatedConstraint(thrown) === undefined) throw thrown;
        throw new DoctorError('REMEDY_REFUSED', {
          message: `Operation ${intent.operation} was begun before; it is probed, never repeated.`,
          cause: thrown,
        });
      }
    },
    conclude: (operation, outcome) =>
      database.transaction((query) => conclude(query, operation, outcome)),
    ofPlan: (plan) =>
      database.call(async (query) => {
        const rows = await query<EntryRow>(`${ENTRIES} WHERE i.plan = $1 ORDER BY i.position`, [
          plan,
        ]);
        return rows.map(entryFromRow);
      }),
    open: () =>
      database.call(async (query) => {
        const rows = await query<EntryRow>(
          `${ENTRIES} WHERE o.outcome IS NULL OR o.outcome = 'indeterminate' ORDER BY i.at, i.position`,
        );
        return rows.map(entryFromRow);
      }),
  };
}

async function intend(query: Query, intent: NewIntent, lease: Lease): Promise<void> {
  const rows = await query(
    `INSERT INTO starr.intents (operation, plan, position, fence, actor)
     SELECT $1, $2, $3, l.fence, $4 FROM starr.leases l
     WHERE l.name = $5 AND l.owner = $6 AND l.fence = $7 AND l.held_until > clock_timestamp() RETURNING 1`,
    [
      intent.operation,
      intent.plan,
      intent.position,
      storableText(intent.actor),
      lease.name,
      lease.owner,
      lease.fence.toString(),
    ],
  );
  if (rows.length === 0)
    throw new DoctorError('REMEDY_BUSY', {
      message: `The lease ${lease.name} was lost; another orchestrator may act.`,
    });
  await writeAudit(query, {
    actor: intent.actor,
    action: 'operation.intend',
    subject: intent.plan,
    details: { operation: intent.operation },
  });
}

async function conclude(query: Query, operation: string, outcome: NewOutcome): Promise<boolean> {
  // Outcomes of one operation are written one after another, or two could both be the first.
  const [intent] = await query<{ plan: string; actor: string }>(
    'SELECT plan, actor FROM starr.intents WHERE operation = $1 FOR UPDATE',
    [operation],
  );
  const rows = await query(
    `INSERT INTO starr.outcomes (operation, number, outcome, known_by, receipt, says)
     SELECT $1, count(*) + 1, $2, $3, $4, $5 FROM starr.outcomes WHERE operation = $1
     HAVING count(*) FILTER (WHERE outcome <> 'indeterminate') = 0
        AND ($2 <> 'indeterminate' OR count(*) = 0) RETURNING 1`,
    [
      operation,
      outcome.outcome,
      outcome.knownBy,
      outcome.receipt ?? null,
      storableText(outcome.says),
    ],
  );
  if (rows.length === 0 || intent === undefined) return false;
  await writeAudit(query, {
    actor: intent.actor,
    action: `operation.${outcome.outcome}`,
    subject: intent.plan,
    details: { operation, knownBy: outcome.knownBy },
  });
  return true;
}

function entryFromRow(row: EntryRow): JournalEntry {
  const { outcome, known_by: knownBy, known_at: at, says } = row;
  return {
    operation: row.operation,
    plan: row.plan,
    position: row.position,
    fence: BigInt(row.fence),
    actor: row.actor,
    at: row.at,
    ...(outcome !== null &&
      knownBy !== null &&
      at !== null && {
        outcome: {
          outcome,
          knownBy,
          at,
          says: says ?? '',
          ...(row.receipt !== null && { receipt: row.receipt }),
        },
      }),
  };
}
