import type { Progress } from '@starr/kernel';
import type { Client } from 'pg';
import type { MaintenanceAct } from '../acts/maintenance.ts';

export interface SeenProgress extends Progress {
  /** The index that is being built, by oid, once it is in the catalog. */
  readonly indexOid?: string;
}

interface ProgressRow {
  readonly phase: string | null;
  readonly done: number | null;
  readonly total: number | null;
  readonly index_oid: string | null;
  readonly locker: number | null;
  readonly locker_name: string | null;
}

/** How far the statement of a session of ours is, and whom it waits for; undefined: the server shows nothing. */
export async function progressOf(
  client: Client,
  act: MaintenanceAct,
  pid: number,
): Promise<SeenProgress | undefined> {
  const { rows } = await client.query<ProgressRow>(
    `SELECT p.phase, p.done::float8 AS done, p.total::float8 AS total, p.index_oid,
            coalesce(nullif(p.locker, 0), (pg_catalog.pg_blocking_pids(a.pid))[1]) AS locker,
            (SELECT b.application_name FROM pg_catalog.pg_stat_activity b
              WHERE b.pid = coalesce(nullif(p.locker, 0), (pg_catalog.pg_blocking_pids(a.pid))[1])) AS locker_name
       FROM pg_catalog.pg_stat_activity a LEFT JOIN (${VIEWS[act.kind]}) p ON p.pid = a.pid
      WHERE a.pid = $1 AND a.state = 'active'`,
    [pid],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  const ratio =
    row.total !== null && row.total > 0 ? Math.min(1, (row.done ?? 0) / row.total) : undefined;
  return {
    kind: 'progress',
    says: `${row.phase ?? STARTING[act.kind]}${waits(row)}`,
    ...(ratio !== undefined && { ratio }),
    ...(row.index_oid !== null && row.index_oid !== '0' && { indexOid: row.index_oid }),
  };
}

function waits({ locker, locker_name: name }: ProgressRow): string {
  if (locker === null) return '';
  const who = name === null || name === '' ? '' : ` (${name})`;
  return `: waits for ${locker === 0 ? 'a prepared transaction' : `pid ${locker}`}${who}`;
}

const CREATE_INDEX = `SELECT pid, phase, blocks_done AS done, blocks_total AS total, index_relid::text AS index_oid,
                             current_locker_pid::int AS locker FROM pg_catalog.pg_stat_progress_create_index`;
const NONE = `SELECT 0 AS pid, NULL::text AS phase, 0 AS done, 0 AS total, NULL::text AS index_oid, 0 AS locker WHERE false`;
const VIEWS = {
  'create-index': CREATE_INDEX,
  reindex: CREATE_INDEX,
  'drop-index': NONE,
  'vacuum-table': `SELECT pid, phase, heap_blks_scanned AS done, heap_blks_total AS total, NULL::text AS index_oid, 0 AS locker
                     FROM pg_catalog.pg_stat_progress_vacuum`,
  'analyze-table': `SELECT pid, phase, sample_blks_scanned AS done, sample_blks_total AS total, NULL::text AS index_oid, 0 AS locker
                      FROM pg_catalog.pg_stat_progress_analyze`,
} as const satisfies Record<MaintenanceAct['kind'], string>;
const STARTING = {
  'create-index': 'the build begins',
  reindex: 'the build begins',
  'drop-index': 'the index is being dropped',
  'vacuum-table': 'the vacuum is under way',
  'analyze-table': 'the analyze is under way',
} as const satisfies Record<MaintenanceAct['kind'], string>;
