import type { MaintenanceAct } from './acts/maintenance.ts';
import type { PoolerAct } from './acts/pooler.ts';
import type { AlterConnectionLimitAct, AlterSettingAct } from './acts/alter.ts';
import type { CancelStatementAct, TerminateSessionAct } from './acts/signal-session.ts';

/** One session as it was when the plan was made. Moments are RFC 3339 with microseconds. */
export interface SessionSeal {
  readonly pid: number;
  readonly backendStart: string;
  readonly stateChange: string;
}

/**
 * Ends sessions, each only if it still is the same idle spell of the same session.
 * Everything that guards the act is inside; nothing is looked up in a configuration when it is applied.
 */
export interface TerminateSessionsAct {
  readonly kind: 'terminate-sessions';
  readonly sessions: readonly SessionSeal[];
  /** application_names that are never ended, compared again at the moment of the act. */
  readonly protectedApplications: readonly string[];
}

/** What can be done to a PostgreSQL server within a moment. */
export type ServerAct =
  | TerminateSessionsAct
  | CancelStatementAct
  | TerminateSessionAct
  | AlterSettingAct
  | AlterConnectionLimitAct;

/** Beside what lasts, and what is done to the poolers before it. */
export type PostgresAct = ServerAct | MaintenanceAct | PoolerAct;
