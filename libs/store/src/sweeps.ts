import type { Answer, SweepInput } from '@starr/incident';
import type { Json } from '@starr/kernel';
import type { Database } from './database.ts';
import { fromStored, toStored } from './stored-json.ts';

export type SweepState = 'running' | 'answered' | 'failed' | 'cancelled';

/** All that an answer was made from but playbooks and catalog: with these it can be made again. */
export type SweepEvidence = Pick<
  SweepInput,
  'results' | 'relations' | 'unseen' | 'acceptances' | 'endedAt'
>;

/** One run over an environment, as it is kept. */
export interface StoredSweep {
  readonly id: string;
  readonly environment: string;
  readonly requestedBy: string;
  /** What was asked for: targets, diagnostics, window. */
  readonly asked: Json;
  readonly startedAt: Date;
  /** Absent: still running, or its orchestrator died. */
  readonly endedAt?: Date;
  readonly state: SweepState;
  /** Absent: not traced. */
  readonly traceId?: string;
  /** Masked at the doctor. Absent: still running. */
  readonly evidence?: SweepEvidence;
  /** Absent: none was reached. */
  readonly answer?: Answer;
}

export interface Sweeps {
  /** Writes the sweep whole; called at its start and again at its end, so that a store that was away at the start misses nothing. */
  save(sweep: StoredSweep): Promise<void>;
  get(id: string): Promise<StoredSweep | undefined>;
  /** Trace ids that begin so, of the newest sweeps; at most two, since a third tells no more. */
  tracesBeginning(environment: string, prefix: string): Promise<readonly string[]>;
}

interface SweepRow {
  readonly id: string;
  readonly environment: string;
  readonly requested_by: string;
  readonly asked: Json;
  readonly started_at: Date;
  readonly ended_at: Date | null;
  readonly state: SweepState;
  readonly trace_id: string | null;
  readonly evidence?: unknown;
  readonly answer: unknown;
}

const SAVE = `
  INSERT INTO starr.sweeps (id, environment, requested_by, asked, started_at, ended_at, state, trace_id, evidence, answer)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
  ON CONFLICT (id) DO UPDATE SET ended_at = EXCLUDED.ended_at, state = EXCLUDED.state,
    trace_id = EXCLUDED.trace_id, evidence = EXCLUDED.evidence, answer = EXCLUDED.answer`;

/** How far back the beginning of a trace id is looked for. */
const RECENT_SWEEPS = 1000;

const HEAD = 'id, environment, requested_by, asked, started_at, ended_at, state, trace_id, answer';

export function createSweeps(database: Database): Sweeps {
  return {
    save: (sweep) =>
      database.call(async (query) => {
        await query(SAVE, valuesOf(sweep));
      }),
    get: (id) =>
      database.call(async (query) => {
        const [row] = await query<SweepRow>(
          `SELECT ${HEAD}, evidence FROM starr.sweeps WHERE id = $1`,
          [id],
        );
        if (row === undefined) return undefined;
        return {
          ...headFromRow(row),
          ...(row.evidence !== null && { evidence: fromStored(row.evidence) as SweepEvidence }),
        };
      }),
    tracesBeginning: (environment, prefix) =>
      database.call(async (query) => {
        const rows = await query<{ trace_id: string }>(
          `SELECT DISTINCT trace_id FROM (
             SELECT trace_id FROM starr.sweeps WHERE environment = $1 ORDER BY started_at DESC LIMIT ${RECENT_SWEEPS}) recent
           WHERE starts_with(trace_id, $2) ORDER BY trace_id LIMIT 2`,
          [environment, prefix],
        );
        return rows.map(({ trace_id: traceId }) => traceId);
      }),
  };
}

function valuesOf(sweep: StoredSweep): readonly unknown[] {
  return [
    sweep.id,
    sweep.environment,
    sweep.requestedBy,
    toStored(sweep.asked),
    sweep.startedAt,
    sweep.endedAt ?? null,
    sweep.state,
    sweep.traceId ?? null,
    sweep.evidence === undefined ? null : toStored(sweep.evidence),
    sweep.answer === undefined ? null : toStored(sweep.answer),
  ];
}

function headFromRow(row: SweepRow): StoredSweep {
  return {
    id: row.id,
    environment: row.environment,
    requestedBy: row.requested_by,
    asked: row.asked,
    startedAt: row.started_at,
    state: row.state,
    ...(row.ended_at !== null && { endedAt: row.ended_at }),
    ...(row.trace_id !== null && { traceId: row.trace_id }),
    ...(row.answer !== null && { answer: fromStored(row.answer) as Answer }),
  };
}
