import type { Read, Relation } from '@starr/kernel';
import { z } from 'zod';
import { addressEntity, backendEntity, clientEntity } from '../entities.ts';
import type { PostgresRequest } from '../postgres-request.ts';
import { redacted, rowsRead } from './rows-read.ts';
import { utcText } from './utc-text.ts';

/** A client backend and where it comes from. */
export interface Backend {
  readonly pid: number;
  readonly backendStart: string;
  readonly application: string;
  readonly address?: string;
}

const rowSchema = z.object({
  our_role: z.string(),
  hidden: z.boolean(),
  pid: z.int(),
  backend_start: z.string().nullable(),
  application: z.string(),
  address: z.string().nullable(),
});

/** Which client a backend belongs to: asked only when a key of that kind has to be resolved. */
export const backendsRead: Read<readonly Backend[], PostgresRequest> = rowsRead({
  id: 'postgres.backends',
  timeoutMs: 1000,
  maxRows: 1000,
  row: rowSchema,
  sql: () => `
    SELECT quote_ident(current_user) AS our_role, backend_type IS NULL AS hidden, pid,
           ${utcText('backend_start')} AS backend_start, application_name AS application, host(client_addr) AS address
      FROM pg_stat_activity
     WHERE pid <> pg_backend_pid() AND (backend_type = 'client backend' OR backend_type IS NULL AND usesysid IS NOT NULL)
     ORDER BY backend_type IS NULL DESC, backend_start DESC`,
  valueOf: (rows) => {
    const hidden = rows.filter((row) => row.hidden);
    if (hidden[0] !== undefined) return redacted(hidden.length, hidden[0].our_role);
    return rows.map((row) => ({
      pid: row.pid,
      backendStart: row.backend_start ?? '',
      application: row.application,
      ...(row.address !== null && { address: row.address }),
    }));
  },
  relate: (backends, look) => backends.flatMap((backend) => relationsOf(backend, look.target)),
});

function relationsOf(
  { pid, backendStart, application, address }: Backend,
  target: string,
): Relation[] {
  const backend = backendEntity(target, pid, backendStart);
  return [
    { from: backend, is: 'of', to: clientEntity(target, application, address) },
    ...(address === undefined
      ? []
      : [{ from: backend, is: 'connects-from', to: addressEntity(address) }]),
  ];
}
