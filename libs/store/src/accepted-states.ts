import type { Database } from './database.ts';
import { storableText } from './stored-json.ts';

/** A finding that somebody knows of and silences visibly, until a day. */
export interface AcceptedState {
  readonly diagnostic: string;
  readonly target: string;
  readonly until: Date;
  readonly reason: string;
  readonly acceptedBy: string;
}

export interface StoredAcceptedState extends AcceptedState {
  readonly acceptedAt: Date;
}

export interface AcceptedStates {
  /** One a diagnostic and target: the newest replaces the earlier. */
  accept(state: AcceptedState): Promise<StoredAcceptedState>;
  /** False: none was in force. */
  revoke(diagnostic: string, target: string): Promise<boolean>;
  /** Those in force by the store's clock. */
  inForce(): Promise<readonly StoredAcceptedState[]>;
}

interface AcceptedRow {
  readonly diagnostic: string;
  readonly target: string;
  readonly until: Date;
  readonly reason: string;
  readonly accepted_by: string;
  readonly accepted_at: Date;
}

const COLUMNS = 'diagnostic, target, until, reason, accepted_by, accepted_at';
const REVOKE = `
  UPDATE starr.accepted SET revoked_at = clock_timestamp()
  WHERE diagnostic = $1 AND target = $2 AND revoked_at IS NULL AND until > clock_timestamp() RETURNING 1`;

export function createAcceptedStates(database: Database): AcceptedStates {
  return {
    accept: (state) =>
      database.transaction(async (query) => {
        await query(REVOKE, [state.diagnostic, state.target]);
        const [row] = await query<AcceptedRow>(
          `INSERT INTO starr.accepted (diagnostic, target, until, reason, accepted_by)
           VALUES ($1, $2, $3, $4, $5) RETURNING ${COLUMNS}`,
          [
            state.diagnostic,
            state.target,
            state.until,
            storableText(state.reason),
            storableText(state.acceptedBy),
          ],
        );
        if (row === undefined) throw new TypeError('an insert returned no row');
        return acceptedFromRow(row);
      }),
    revoke: (diagnostic, target) =>
      database.call(async (query) => (await query(REVOKE, [diagnostic, target])).length > 0),
    inForce: () =>
      database.call(async (query) => {
        const rows = await query<AcceptedRow>(
          `SELECT ${COLUMNS} FROM starr.accepted
           WHERE revoked_at IS NULL AND until > clock_timestamp() ORDER BY number`,
        );
        return rows.map(acceptedFromRow);
      }),
  };
}

function acceptedFromRow(row: AcceptedRow): StoredAcceptedState {
  return {
    diagnostic: row.diagnostic,
    target: row.target,
    until: row.until,
    reason: row.reason,
    acceptedBy: row.accepted_by,
    acceptedAt: row.accepted_at,
  };
}
