import type { Limit } from '@starr/kernel';
import type { PostgresRequest, Refusal } from '../postgres-request.ts';
import { errorTablesFrom } from './error-tables.ts';
import { extensionRowsFrom } from './extension-rows.ts';
import type { HeldSession } from './held-session.ts';
import type { Poolers } from './poolers.ts';
import { rowsFrom } from './rows-from.ts';
import { statementPlansFrom } from './statement-plans.ts';

export async function performRequest(
  request: PostgresRequest,
  session: HeldSession,
  { refusals, poolers }: { readonly refusals: () => readonly Refusal[]; readonly poolers: Poolers },
  limit: Limit,
): Promise<unknown> {
  switch (request.kind) {
    case 'rows':
      return session.use(limit, (client) => rowsFrom(client, request.sql, limit));
    case 'extension-rows':
      return session.use(limit, (client) => extensionRowsFrom(client, request, limit));
    case 'statement-plans':
      return session.use(limit, (client) => statementPlansFrom(client, request, limit));
    case 'error-tables':
      return session.use(limit, (client) => errorTablesFrom(client, request, limit));
    case 'refusals':
      return refusals();
    case 'poolers':
    case 'pooled-sessions':
      return poolers.perform(
        request,
        (sql) => session.use(limit, (client) => rowsFrom(client, sql, limit)),
        limit,
      );
  }
}
