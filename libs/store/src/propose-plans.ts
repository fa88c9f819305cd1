import { DoctorError } from '@starr/kernel';
import type { Query } from './database.ts';
import { PLAN_COLUMNS, planFromRow, type PlanRow } from './plan-rows.ts';
import { REPLANNABLE } from './plan-states.ts';
import type { Proposal, StoredPlan } from './plans.ts';
import { storableText, storedFromParams } from './stored-json.ts';

/** Gives proposals their numbers within the incident; one that is there and has not acted keeps its own. */
export async function proposePlans(
  query: Query,
  incident: string,
  sweep: string | undefined,
  proposals: readonly Proposal[],
): Promise<readonly StoredPlan[]> {
  // Numbers of one incident are given out one after another.
  const held = await query('SELECT 1 FROM starr.incidents WHERE id = $1 FOR UPDATE', [incident]);
  if (held.length === 0) throw new DoctorError('INCIDENT_UNKNOWN', { details: { incident } });
  const plans: StoredPlan[] = [];
  for (const proposal of proposals) {
    const params = storedFromParams(proposal.params);
    const [known] = await query<PlanRow>(
      `SELECT ${PLAN_COLUMNS} FROM starr.plans WHERE incident = $1 AND remedy = $2 AND target = $3
       AND params = $4::jsonb AND undo_of IS NOT DISTINCT FROM $5 AND state = ANY($6) ORDER BY number LIMIT 1`,
      [incident, proposal.remedy, proposal.target, params, proposal.undoOf ?? null, REPLANNABLE],
    );
    const row = known ?? (await insertPlan(query, incident, sweep, proposal, params));
    plans.push(planFromRow(row));
  }
  return plans;
}

async function insertPlan(
  query: Query,
  incident: string,
  sweep: string | undefined,
  proposal: Proposal,
  params: string,
): Promise<PlanRow> {
  const rows = await query<PlanRow>(
    `INSERT INTO starr.plans (id, incident, number, sweep, role, says, cause, remedy, target, params, undo_of)
     SELECT $1 || '.' || n.next, $1, n.next, $2, $3, $4, $5, $6, $7, $8::jsonb, $9
     FROM (SELECT coalesce(max(number), 0) + 1 AS next FROM starr.plans WHERE incident = $1) n
     RETURNING ${PLAN_COLUMNS}`,
    [
      incident,
      sweep ?? null,
      proposal.role,
      storableText(proposal.says),
      proposal.cause ?? null,
      proposal.remedy,
      proposal.target,
      params,
      proposal.undoOf ?? null,
    ],
  );
  return only(rows);
}

function only<T>(rows: readonly T[]): T {
  const [row] = rows;
  if (row === undefined) throw new TypeError('an insert returned no row');
  return row;
}
