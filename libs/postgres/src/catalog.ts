import type { Catalog } from '@starr/kernel';
import { connectionLeak } from './diagnostics/connection-leak.ts';
import { connectionLimits } from './diagnostics/connection-limits.ts';
import { connectionUse } from './diagnostics/connection-use.ts';
import { idleInTransaction } from './diagnostics/idle-in-transaction.ts';
import { idleSessions } from './diagnostics/idle-sessions.ts';
import { lockWaits } from './diagnostics/lock-waits.ts';
import { longRunningQueries } from './diagnostics/long-running-queries.ts';
import { pgbouncerPools } from './diagnostics/pgbouncer-pools.ts';
import { wedgedSessions } from './diagnostics/wedged-sessions.ts';
import { postgresGrants } from './grants.ts';
import { poolerRemedies } from './pooler-remedies.ts';
import type { PostgresAct } from './postgres-act.ts';
import type { PostgresRequest } from './postgres-request.ts';
import { backendsRead } from './reads/backends.ts';
import { pooledSessionsRead } from './reads/pooled-sessions.ts';
import { poolersRead } from './reads/poolers.ts';
import { sessionGroupsRead } from './reads/session-groups.ts';
import { statementRunsRead } from './reads/statement-runs.ts';
import { analyze } from './remedies/analyze.ts';
import { cancelQuery } from './remedies/cancel-query.ts';
import { createIndex } from './remedies/create-index.ts';
import { dropInvalidIndex } from './remedies/drop-invalid-index.ts';
import { raiseConnectionLimit } from './remedies/raise-connection-limit.ts';
import { reindex } from './remedies/reindex.ts';
import { setTimeoutRemedy } from './remedies/set-timeout.ts';
import { terminateIdleSessions } from './remedies/terminate-idle-sessions.ts';
import { terminateSession } from './remedies/terminate-session.ts';
import { vacuum } from './remedies/vacuum.ts';
import { serverDiagnostics } from './server-diagnostics.ts';

/** What a PostgreSQL server can be asked and what can be done for it. */
export const postgresCatalog: Catalog<PostgresRequest, PostgresAct> = {
  diagnostics: [
    connectionLeak,
    connectionLimits,
    connectionUse,
    idleInTransaction,
    idleSessions,
    lockWaits,
    longRunningQueries,
    pgbouncerPools,
    wedgedSessions,
    ...serverDiagnostics,
  ],
  remedies: [
    analyze,
    cancelQuery,
    createIndex,
    dropInvalidIndex,
    raiseConnectionLimit,
    reindex,
    setTimeoutRemedy,
    terminateIdleSessions,
    terminateSession,
    vacuum,
    ...poolerRemedies,
  ],
  resolvers: [
    { kinds: ['address', 'client', 'application'], read: sessionGroupsRead },
    { kinds: ['backend'], read: backendsRead },
    { kinds: ['statement', 'trace'], read: statementRunsRead },
    {
      kinds: ['address', 'client', 'application', 'backend', 'pooler', 'pooler-pool'],
      read: pooledSessionsRead,
    },
    { kinds: ['pooler', 'pooler-pool'], read: poolersRead },
  ],
  grants: postgresGrants,
};
