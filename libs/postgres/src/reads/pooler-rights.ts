import { blindSpot, type BlindSpot, type Read } from '@starr/kernel';
import { z } from 'zod';
import type { ServerPlace } from '../pooler-request.ts';
import type { PostgresRequest } from '../postgres-request.ts';
import { consoleRows, textOf } from './console-row.ts';

/** Who looks and acts on the console of one pooler, and whom it lets. */
export interface PoolerRights {
  readonly name: string;
  readonly place: ServerPlace;
  /** Where the target itself is reached. */
  readonly server: ServerPlace;
  readonly looks: string;
  /** undefined: none is configured. */
  readonly acts: string | undefined;
  readonly lets:
    { readonly stats: readonly string[]; readonly admins: readonly string[] } | BlindSpot;
}

const placeSchema = z.object({ host: z.string(), port: z.number() });
const answerSchema = z.object({
  server: placeSchema,
  poolers: z.array(
    z.object({
      pooler: z.string(),
      place: placeSchema,
      users: z.object({ looks: z.string(), acts: z.string().optional() }),
      seen: z.object({ config: consoleRows }).optional(),
      blind: z.custom<BlindSpot>().optional(),
    }),
  ),
});

/** Costs the server nothing. */
export const poolerRightsRead: Read<readonly PoolerRights[], PostgresRequest> = {
  id: 'pgbouncer.rights',
  timeoutMs: 1000,
  maxRows: 1000,
  request: () => ({ kind: 'poolers' }),
  parse: (raw) => {
    const answer = answerSchema.safeParse(raw);
    const malformed = blindSpot(
      'unsupported',
      'pgbouncer.rights: the console answered in an unexpected form',
    );
    if (!answer.success) return malformed;
    const { server, poolers } = answer.data;
    return poolers.map(({ pooler, place, users, seen, blind }) => {
      const names = (key: string) =>
        textOf(seen?.config.find((row) => row['key'] === key) ?? {}, 'value')
          .split(/[,\s]+/)
          .filter((name) => name !== '');
      return {
        name: pooler,
        place,
        server,
        looks: users.looks,
        acts: users.acts,
        lets:
          seen === undefined
            ? (blind ?? malformed)
            : { stats: names('stats_users'), admins: names('admin_users') },
      };
    });
  },
};
