import type { Json } from '@starr/kernel';
import type { Database, Query } from './database.ts';
import { storableText, toStored } from './stored-json.ts';

/** Who did what to what, and why. Never changed, never deleted: the store refuses both. */
export interface AuditEntry {
  readonly actor: string;
  /** plan.approve, operation.applied, state.accept … */
  readonly action: string;
  /** INC-7, INC-7.1, an operation id, a target. */
  readonly subject: string;
  /** Absent: none was asked for. */
  readonly reason?: string;
  /** Masked. */
  readonly details?: Readonly<Record<string, Json>>;
}

export interface StoredAuditEntry extends AuditEntry {
  readonly number: bigint;
  readonly at: Date;
}

export interface Audit {
  append(entry: AuditEntry): Promise<void>;
  /** Oldest first. With a subject: its rows and those of its parts (INC-7 has INC-7.1). */
  list(subject: string | undefined, count: number): Promise<readonly StoredAuditEntry[]>;
}

interface AuditRow {
  readonly number: string;
  readonly at: Date;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly reason: string | null;
  readonly details: Readonly<Record<string, Json>>;
}

/** Inside the transaction of what it tells of, so that neither stands without the other. */
export async function writeAudit(query: Query, entry: AuditEntry): Promise<void> {
  await query(
    'INSERT INTO starr.audit (actor, action, subject, reason, details) VALUES ($1, $2, $3, $4, $5)',
    [
      storableText(entry.actor),
      entry.action,
      storableText(entry.subject),
      entry.reason === undefined ? null : storableText(entry.reason),
      toStored(entry.details ?? {}),
    ],
  );
}

export function createAudit(database: Database): Audit {
  return {
    append: (entry) => database.call((query) => writeAudit(query, entry)),
    list: (subject, count) =>
      database.call(async (query) => {
        const rows = await query<AuditRow>(
          `SELECT * FROM (
             SELECT number, at, actor, action, subject, reason, details FROM starr.audit
             WHERE $1::text IS NULL OR subject = $1 OR starts_with(subject, $1 || '.')
             ORDER BY number DESC LIMIT $2) newest ORDER BY number`,
          [subject ?? null, count],
        );
        return rows.map(entryFromRow);
      }),
  };
}

function entryFromRow(row: AuditRow): StoredAuditEntry {
  return {
    number: BigInt(row.number),
    at: row.at,
    actor: row.actor,
    action: row.action,
    subject: row.subject,
    details: row.details,
    ...(row.reason !== null && { reason: row.reason }),
  };
}
