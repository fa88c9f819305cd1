/** How long a rival may take before it is ended; then it counts as having taken so long. */
export const RIVAL_TIMEOUT_MS = 2000;

/**
 * Any two locks on one thing, as PgHero 4 (and the Lock_Monitoring page of PostgreSQL's wiki, from which it has it) joins
 * them: without the matrix of what conflicts with what. Written anew, with its joins and its columns.
 */
export const JOIN_OVER_LOCKS = `
  SELECT coalesce(theirs.relation::regclass::text, theirs.locktype) AS item,
         waiter.pid AS waiter_pid, waiter.usename AS waiter_role, waiter.query AS waiter_query,
         age(now(), waiter.query_start) AS waits, ours.mode AS waits_for,
         holder.pid AS holder_pid, holder.usename AS holder_role, holder.state AS holder_state, holder.query AS holder_query,
         age(now(), holder.query_start) AS holds_since, theirs.mode AS holds
    FROM pg_locks ours
    LEFT JOIN pg_stat_activity waiter ON waiter.pid = ours.pid
    LEFT JOIN pg_locks theirs ON theirs.pid <> ours.pid
     AND (theirs.transactionid = ours.transactionid OR theirs.relation = ours.relation AND theirs.locktype = ours.locktype)
    LEFT JOIN pg_stat_activity holder ON holder.pid = theirs.pid AND holder.datid = waiter.datid
   WHERE NOT ours.granted AND waiter.datname = current_database()
   ORDER BY waits DESC`;

/** A tree as one writes it down: all that pg_blocking_pids says of everybody, walked from the roots by paths. */
export const RECURSIVE_TREE = `
  WITH RECURSIVE edges AS (
    SELECT a.pid, unnest(pg_blocking_pids(a.pid)) AS blocker FROM pg_stat_activity a),
  tree AS (
    SELECT DISTINCT blocker AS pid, ARRAY[blocker] AS path FROM edges WHERE blocker NOT IN (SELECT pid FROM edges)
    UNION ALL
    SELECT e.pid, t.path || e.pid FROM tree t JOIN edges e ON e.blocker = t.pid WHERE e.pid <> ALL (t.path))
  SELECT t.path, a.pid, a.usename, a.application_name, a.state, a.query, age(now(), a.xact_start) AS transaction
    FROM tree t LEFT JOIN pg_stat_activity a ON a.pid = t.pid ORDER BY t.path`;
