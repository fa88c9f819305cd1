import type { SessionSeal } from '../postgres-act.ts';

/** What a person runs when all else fails: the same sessions, with the same guard on identity and idle spell. */
export function terminateByHand(sessions: readonly SessionSeal[]): string {
  const seals = sessions.map(
    ({ pid, backendStart, stateChange }) =>
      `  (${pid}, timestamptz '${backendStart}', timestamptz '${stateChange}')`,
  );
  return [
    "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND state = 'idle'",
    ' AND (pid, backend_start, state_change) IN (VALUES',
    `${seals.join(',\n')});`,
  ].join('\n');
}
