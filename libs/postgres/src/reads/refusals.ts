import { blindSpot, type Read } from '@starr/kernel';
import type { PostgresRequest, Refusal } from '../postgres-request.ts';

/** The connects of our own that were refused, newest last. Costs the server nothing. */
export const refusalsRead: Read<readonly Refusal[], PostgresRequest> = {
  id: 'postgres.refusals',
  timeoutMs: 100,
  maxRows: 100,
  request: () => ({ kind: 'refusals' }),
  parse: (raw) =>
    Array.isArray(raw)
      ? (raw as readonly Refusal[])
      : blindSpot('unsupported', 'postgres.refusals: the adapter keeps no list of refusals'),
};
