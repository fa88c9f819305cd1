import type { Json } from '@starr/kernel';
import type { Database, Query } from './database.ts';
import { storableText, toStored } from './stored-json.ts';

/** Who or what opened an incident. */
export interface Opener {
  readonly kind: 'sweep' | 'alert' | 'person';
  /** The actor of the sweep, the alert's name, or the person. */
  readonly name: string;
  /** When the alert began to fire; absent: not an alert. */
  readonly firedAt?: string;
}

export interface StoredIncident {
  /** INC-7. */
  readonly id: string;
  readonly environment: string;
  readonly openedBy: Opener;
  /** Equal fingerprints are the same trouble. */
  readonly fingerprint: string;
  readonly title: string;
  readonly status: 'open' | 'resolved';
  readonly openedAt: Date;
  /** When a sweep or an alert last met it. */
  readonly seenAt: Date;
  readonly resolvedAt?: Date;
  /** Ids, oldest first. */
  readonly sweeps: readonly string[];
  /** The STARR record; absent: none written yet. */
  readonly record?: Json;
}

export interface OpenIncident {
  readonly environment: string;
  readonly openedBy: Opener;
  readonly fingerprint: string;
  readonly title: string;
  /** A stored sweep to attach; absent: none yet. */
  readonly sweep?: string;
}

export interface Incidents {
  /** Opens one, or finds the one that is open for the same fingerprint; attaches the sweep. */
  open(incident: OpenIncident): Promise<StoredIncident>;
  /** A sweep that an alert's incident asked for; its title becomes what the sweep found. */
  attach(id: string, sweep: string, title?: string): Promise<void>;
  setRecord(id: string, record: Json): Promise<void>;
  /** Idempotent. False: no such incident. */
  resolve(id: string): Promise<boolean>;
  get(id: string): Promise<StoredIncident | undefined>;
  /** Newest first, at most `count`, those before the incident `before` when given. */
  list(count: number, before?: string): Promise<readonly StoredIncident[]>;
}

interface IncidentRow {
  readonly id: string;
  readonly environment: string;
  readonly opened_by: Opener;
  readonly fingerprint: string;
  readonly title: string;
  readonly status: 'open' | 'resolved';
  readonly opened_at: Date;
  readonly seen_at: Date;
  readonly resolved_at: Date | null;
  readonly sweeps: readonly string[];
  readonly record: Json | null;
}

const COLUMNS = `id, environment, opened_by, fingerprint, title, status, opened_at, seen_at, resolved_at, record,
  ARRAY(SELECT sweep FROM starr.incident_sweeps WHERE incident = incidents.id ORDER BY added_at) AS sweeps`;

export function createIncidents(database: Database): Incidents {
  return {
    open: (incident) => database.transaction((query) => openIncident(query, incident)),
    attach: (id, sweep, title) =>
      database.transaction(async (query) => {
        await attachSweep(query, id, sweep);
        await query(
          `UPDATE starr.incidents SET seen_at = clock_timestamp(), title = coalesce($2, title) WHERE id = $1`,
          [id, title === undefined ? null : storableText(title)],
        );
      }),
    setRecord: (id, record) =>
      database.call(async (query) => {
        await query('UPDATE starr.incidents SET record = $2 WHERE id = $1', [id, toStored(record)]);
      }),
    resolve: (id) =>
      database.call(async (query) => {
        const rows = await query(
          `UPDATE starr.incidents SET status = 'resolved', resolved_at = coalesce(resolved_at, clock_timestamp())
           WHERE id = $1 RETURNING 1`,
          [id],
        );
        return rows.length > 0;
      }),
    get: (id) => database.call((query) => getIncident(query, id)),
    list: (count, before) =>
      database.call(async (query) => {
        const rows = await query<IncidentRow>(
          `SELECT ${COLUMNS} FROM starr.incidents
           WHERE number < coalesce((SELECT number FROM starr.incidents WHERE id = $2), 9223372036854775807)
           ORDER BY number DESC LIMIT $1`,
          [count, before ?? null],
        );
        return rows.map(incidentFromRow);
      }),
  };
}

async function openIncident(query: Query, incident: OpenIncident): Promise<StoredIncident> {
  const id = (await findOpen(query, incident)) ?? (await insertIncident(query, incident));
  if (incident.sweep !== undefined) await attachSweep(query, id, incident.sweep);
  const stored = await getIncident(query, id);
  if (stored === undefined) throw new TypeError('an incident just written is gone');
  return stored;
}

/** Looked for before the insert: a conflict would use up a number. */
async function findOpen(query: Query, incident: OpenIncident): Promise<string | undefined> {
  const [row] = await query<{ id: string }>(
    `UPDATE starr.incidents SET seen_at = clock_timestamp()
     WHERE environment = $1 AND fingerprint = $2 AND status = 'open' RETURNING id`,
    [incident.environment, storableText(incident.fingerprint)],
  );
  return row?.id;
}

async function insertIncident(query: Query, incident: OpenIncident): Promise<string> {
  const [row] = await query<{ id: string }>(
    `INSERT INTO starr.incidents (environment, opened_by, fingerprint, title) VALUES ($1, $2, $3, $4)
     ON CONFLICT (environment, fingerprint) WHERE status = 'open'
     DO UPDATE SET seen_at = clock_timestamp() RETURNING id`,
    [
      incident.environment,
      toStored(incident.openedBy),
      storableText(incident.fingerprint),
      storableText(incident.title),
    ],
  );
  if (row === undefined) throw new TypeError('an upsert returned no row');
  return row.id;
}

async function attachSweep(query: Query, incident: string, sweep: string): Promise<void> {
  await query(
    'INSERT INTO starr.incident_sweeps (incident, sweep) VALUES ($1, $2) ON CONFLICT DO NOTHING',
    [incident, sweep],
  );
}

async function getIncident(query: Query, id: string): Promise<StoredIncident | undefined> {
  const [row] = await query<IncidentRow>(`SELECT ${COLUMNS} FROM starr.incidents WHERE id = $1`, [
    id,
  ]);
  return row && incidentFromRow(row);
}

function incidentFromRow(row: IncidentRow): StoredIncident {
  return {
    id: row.id,
    environment: row.environment,
    openedBy: row.opened_by,
    fingerprint: row.fingerprint,
    title: row.title,
    status: row.status,
    openedAt: row.opened_at,
    seenAt: row.seen_at,
    sweeps: row.sweeps,
    ...(row.resolved_at !== null && { resolvedAt: row.resolved_at }),
    ...(row.record !== null && { record: row.record }),
  };
}
