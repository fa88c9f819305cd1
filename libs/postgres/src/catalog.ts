import type { Catalog } from '@starr/kernel';
import { connectionUse } from './diagnostics/connection-use.ts';
import type { PostgresAct } from './postgres-act.ts';
import type { PostgresRequest } from './postgres-request.ts';
import { sessionGroupsRead } from './reads/session-groups.ts';

/** What a PostgreSQL server can be asked and what can be done for it. */
export const postgresCatalog: Catalog<PostgresRequest, PostgresAct> = {
  diagnostics: [connectionUse],
  remedies: [],
  resolvers: [{ kinds: ['address', 'client', 'application'], read: sessionGroupsRead }],
};
