import type { Limit } from '@starr/kernel';
import type { Client } from 'pg';
import type { PostgresRequest } from '../postgres-request.ts';
import type { Admission } from './admission.ts';
import { errorTablesFrom } from './error-tables.ts';
import { extensionRowsFrom } from './extension-rows.ts';
import type { HeldSession } from './held-session.ts';
import type { Poolers } from './poolers.ts';
import { rowsFrom } from './rows-from.ts';
import { statementPlansFrom } from './statement-plans.ts';

export interface LookedThrough {
  readonly looking: HeldSession;
  readonly admission: Admission;
  readonly poolers: Poolers;
}

export async function performRequest(
  request: PostgresRequest,
  { looking, admission, poolers }: LookedThrough,
  limit: Limit,
): Promise<unknown> {
  const look = async <T>(work: (client: Client) => Promise<T>): Promise<T> => {
    admission.check();
    return looking.use(limit, work);
  };
  switch (request.kind) {
    case 'rows':
      return look((client) => rowsFrom(client, request.sql, limit));
    case 'extension-rows':
      return look((client) => extensionRowsFrom(client, request, limit));
    case 'statement-plans':
      return look((client) => statementPlansFrom(client, request, limit));
    case 'error-tables':
      return look((client) => errorTablesFrom(client, request, limit));
    case 'refusals':
      return admission.refusals;
    case 'poolers':
    case 'pooled-sessions':
      return poolers.perform(
        request,
        (sql) => look((client) => rowsFrom(client, sql, limit)),
        limit,
      );
  }
}
