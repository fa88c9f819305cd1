import { utcText } from './utc-text.ts';

/** pg_blocking_pids costs the lock manager something for each waiter; so many say enough. */
export const MOST_WAITERS = 500;
const QUERY_CHARACTERS = 800;

/** Weakest first: what a table lock keeps others from grows with it. */
const MODES = [
  'AccessShareLock',
  'RowShareLock',
  'RowExclusiveLock',
  'ShareUpdateExclusiveLock',
  'ShareLock',
  'ShareRowExclusiveLock',
  'ExclusiveLock',
  'AccessExclusiveLock',
] as const;

/**
 * Waiters, and those whom pg_blocking_pids names. It is asked about waiters only, once each: it knows soft blocks,
 * advisory locks and prepared transactions, which joins over pg_locks miss or invent. The locks on what is waited for
 * tell the rest: since when, in which mode, on what (by oid from the catalog, which waits for nothing; only of the
 * database that we are connected to), and which prepared transaction is behind a 0.
 * Hidden sessions sort first, so that the limit never hides that something is hidden.
 */
export function lockWaitsSql(major: number): string {
  return `
    WITH activity AS MATERIALIZED (SELECT * FROM pg_stat_activity),
    waits AS MATERIALIZED (
      SELECT w.pid, pg_blocking_pids(w.pid) AS blockers
        FROM (SELECT coalesce(leader_pid, pid) AS pid, min(query_start) AS since FROM activity
               WHERE wait_event_type = 'Lock' GROUP BY 1 ORDER BY 2 LIMIT ${MOST_WAITERS}) w),
    heads AS MATERIALIZED (SELECT DISTINCT unnest(blockers) AS pid FROM waits),
    locks AS MATERIALIZED (
      SELECT l.*, concat_ws(',', locktype, database, relation, page, tuple, virtualxid, transactionid, classid, objid, objsubid) AS object
        FROM pg_locks l WHERE EXISTS (SELECT FROM waits)),
    asked AS MATERIALIZED (
      SELECT DISTINCT ON (1) coalesce(a.leader_pid, l.pid) AS pid, l.object, l.locktype, l.mode,
             coalesce(l.relation, t.relation) AS relation, coalesce(l.database, t.database) AS database, ${waitStart(major)} AS since
        FROM locks l JOIN activity a ON a.pid = l.pid
        LEFT JOIN locks t ON t.pid = l.pid AND t.locktype = 'tuple' AND t.granted AND l.locktype = 'transactionid'
       WHERE NOT l.granted ORDER BY 1),
    tables AS (
      SELECT c.oid, n.nspname AS schema, c.relname AS name, d.oid AS database
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, pg_database d
       WHERE d.datname = current_database() AND c.oid IN (SELECT relation FROM asked)),
    held AS MATERIALIZED (
      SELECT l.pid, l.virtualtransaction, l.object, l.mode FROM locks l
       WHERE l.granted AND l.object IN (SELECT object FROM asked)),
    prepared AS MATERIALIZED (
      SELECT h.object, json_agg(json_build_object('gid', p.gid, 'owner', p.owner, 'database', p.database,
             'ms', extract(epoch FROM clock_timestamp() - p.prepared)::float8 * 1000) ORDER BY p.prepared) AS list
        FROM (SELECT DISTINCT object, virtualtransaction FROM held WHERE pid IS NULL) h
        JOIN locks x ON x.pid IS NULL AND x.locktype = 'transactionid' AND x.virtualtransaction = h.virtualtransaction
        JOIN pg_prepared_xacts p ON p.transaction = x.transactionid GROUP BY 1)
    SELECT quote_ident(current_user) AS our_role, a.backend_type IS NULL AND a.usesysid IS NOT NULL AS hidden,
           a.pid, ${utcText('a.backend_start')} AS backend_start, a.backend_type AS type, a.state, a.application_name AS application,
           host(a.client_addr) AS address, a.usename AS role, a.datname AS database,
           extract(epoch FROM clock_timestamp() - a.xact_start)::float8 * 1000 AS transaction_ms,
           extract(epoch FROM clock_timestamp() - a.state_change)::float8 * 1000 AS state_ms,
           a.backend_xid IS NOT NULL AS writes, age(a.backend_xid)::float8 AS xid_age,
           left(a.query, ${QUERY_CHARACTERS}) AS query,
           array_to_string(w.blockers, ',') AS blockers,
           extract(epoch FROM clock_timestamp() - coalesce(k.since, a.query_start))::float8 * 1000 AS wait_ms,
           k.mode, k.locktype, t.schema, t.name AS table,
           CASE WHEN 0 = ANY (w.blockers) THEN p.list END AS prepared, h.holds
      FROM activity a
      LEFT JOIN waits w ON w.pid = a.pid
      LEFT JOIN asked k ON k.pid = a.pid AND w.pid IS NOT NULL
      LEFT JOIN prepared p ON p.object = k.object
      LEFT JOIN tables t ON t.oid = k.relation AND k.database IN (0, t.database)
      LEFT JOIN (SELECT pid, (array_agg(mode ORDER BY array_position(ARRAY['${MODES.join("','")}'], mode) DESC NULLS LAST))[1] AS holds
                   FROM held GROUP BY pid) h ON h.pid = a.pid
     WHERE a.pid <> pg_backend_pid()
       AND (w.pid IS NOT NULL OR a.pid IN (SELECT pid FROM heads) OR a.backend_type IS NULL AND a.usesysid IS NOT NULL)
     ORDER BY a.backend_type IS NULL AND a.usesysid IS NOT NULL DESC, w.pid IS NOT NULL, k.since, a.pid`;
}

/** 14 and newer know when a wait began. */
function waitStart(major: number): string {
  return major >= 14 ? 'l.waitstart' : 'NULL::timestamptz';
}
