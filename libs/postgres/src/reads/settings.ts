import { maskText, type Read } from '@starr/kernel';
import { z } from 'zod';
import type { PostgresRequest } from '../postgres-request.ts';
import { rowsRead } from './rows-read.ts';

const VALUE_CHARACTERS = 200;
const HIDDEN = '***';

/** One setting as sessions begin with it; what our own transaction sets for itself is left out. */
export interface Setting {
  readonly name: string;
  /** With its unit, e.g. `4096 kB`. */
  readonly value: string;
  /** default, configuration file, command line, database, user … */
  readonly source: string;
  /** Its new value waits for a restart. */
  readonly pendingRestart: boolean;
}

/** A setting of a role, a database, or a role in a database. */
export interface OwnSetting {
  /** `role checkout`, `database shop`, `role checkout in shop`. */
  readonly of: string;
  readonly name: string;
  readonly value: string;
  /** When it was last touched; absent: the server does not keep it (track_commit_timestamp is off). */
  readonly at?: Date;
}

export interface Settings {
  /** What is not a default, and what matters at night. */
  readonly settings: readonly Setting[];
  readonly own: readonly OwnSetting[];
  readonly startedAt: Date;
  /** When the configuration files were last read. */
  readonly loadedAt: Date;
}

/** What matters at night, default or not. */
const MATTERS = [
  'autovacuum',
  'track_counts',
  'track_activities',
  'default_transaction_read_only',
  'max_connections',
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'idle_session_timeout',
  'transaction_timeout',
  'work_mem',
  'shared_buffers',
  'max_wal_size',
  'checkpoint_timeout',
  'max_slot_wal_keep_size',
  'synchronous_commit',
  'synchronous_standby_names',
  'log_lock_waits',
  'track_io_timing',
  'client_connection_check_interval',
  'deadlock_timeout',
];

/** Their values may hold passwords, and a class of an extension may hold anything. */
const SECRET = /conninfo|command|passphrase|password|secret|token|key|\./i;

const rowSchema = z.object({
  started_ms: z.number(),
  loaded_ms: z.number(),
  of: z.string().nullable(),
  name: z.string().nullable(),
  value: z.string().nullable(),
  source: z.string().nullable(),
  pending_restart: z.boolean().nullable(),
  at_ms: z.number().nullable(),
});

export const settingsRead: Read<Settings, PostgresRequest> = rowsRead({
  id: 'postgres.settings',
  timeoutMs: 1000,
  maxRows: 500,
  row: rowSchema,
  // The commit timestamp of a row is asked for only where the server keeps them: it fails otherwise.
  sql: () => `
    SELECT extract(epoch FROM pg_postmaster_start_time())::float8 * 1000 AS started_ms,
           extract(epoch FROM pg_conf_load_time())::float8 * 1000 AS loaded_ms, s.*
      FROM (SELECT) here LEFT JOIN (
        SELECT '' AS of, name, concat_ws(' ', reset_val, unit) AS value, source, pending_restart, NULL::float8 AS at_ms
          FROM pg_settings
         WHERE (source NOT IN ('default', 'override', 'client', 'session') OR name IN (${MATTERS.map((name) => `'${name}'`).join(', ')}))
        UNION ALL
        SELECT concat_ws(' in ', 'role ' || r.rolname, CASE WHEN r.rolname IS NULL THEN 'database ' || d.datname ELSE d.datname END),
               split_part(c.setting, '=', 1), substr(c.setting, strpos(c.setting, '=') + 1), 'own', false,
               CASE WHEN current_setting('track_commit_timestamp')::bool
                    THEN extract(epoch FROM pg_xact_commit_timestamp(t.xmin))::float8 * 1000 END
          FROM pg_db_role_setting t CROSS JOIN LATERAL unnest(t.setconfig) AS c (setting)
          LEFT JOIN pg_roles r ON r.oid = t.setrole LEFT JOIN pg_database d ON d.oid = t.setdatabase) s ON true
     ORDER BY of, name`,
  valueOf: (rows) => {
    const [first] = rows;
    return {
      startedAt: new Date(first?.started_ms ?? 0),
      loadedAt: new Date(first?.loaded_ms ?? 0),
      settings: rows.filter(({ of }) => of === '').map(settingFromRow),
      own: rows.filter(({ of }) => of !== '' && of !== null).map(ownFromRow),
    };
  },
});

type SettingRow = z.infer<typeof rowSchema>;

function settingFromRow(row: SettingRow): Setting {
  return {
    name: row.name ?? '',
    value: shown(row),
    source: row.source ?? '',
    pendingRestart: row.pending_restart ?? false,
  };
}

function ownFromRow(row: SettingRow): OwnSetting {
  return {
    of: row.of ?? '',
    name: row.name ?? '',
    value: shown(row),
    ...(row.at_ms !== null && { at: new Date(row.at_ms) }),
  };
}

function shown({ name, value }: SettingRow): string {
  if (SECRET.test(name ?? '')) return HIDDEN;
  return maskText(value ?? '').slice(0, VALUE_CHARACTERS);
}
