import type { Json, Look, Plan, PlanRefused } from '@starr/kernel';
import { z } from 'zod';
import { poolerPoolEntity } from '../entities.ts';
import type { PostgresAct } from '../postgres-act.ts';
import { quoteIdentifier } from '../quote-identifier.ts';
import type { PoolerStates } from '../reads/poolers.ts';
import { findPool } from './find-pooler.ts';

const askedSchema = z.object({ pooler: z.string().optional(), database: z.string().optional() });

/** RESUME of a database, from what a person asks for or from the act of a pause. */
export function resumePlan(
  asked: Json | undefined,
  poolers: PoolerStates,
  look: Look,
): Plan<PostgresAct> | PlanRefused {
  const parsed = askedSchema.safeParse(asked);
  if (!parsed.success) return { refused: 'the receipt names no database of a pooler' };
  const found = findPool(pausedOne(parsed.data, poolers), poolers);
  if ('refused' in found) return found;
  const { pooler, database, pool } = found;
  if (!database.paused) return { refused: `${database.name} is not paused on ${pooler.name}` };
  const about = poolerPoolEntity(look.target, pooler.name, pool.database, pool.user);
  return {
    operations: [
      {
        act: { kind: 'resume-pooler', pooler: pooler.name, database: database.name },
        says: `resume ${database.name} on ${pooler.name}: its ${pool.waiting} waiting clients go on`,
        byHand: `RESUME ${quoteIdentifier(database.name)};`,
        // To pause it again is a plan of its own, with all its guards.
        reversible: false,
        onRefused: 'stop',
        onFailed: 'stop',
      },
    ],
    effect: {
      diagnostic: 'db.pgbouncer-pools',
      about,
      measurement: 'waitingClients',
      below: 1,
      settleMs: 1000,
      holdMs: 5000,
      withinMs: 60_000,
      onMiss: 'ask',
    },
    touches: [{ name: 'clientsServed', about, value: pool.waiting }],
    warnings: ['all waiting clients come to the server at once; the pool bounds them'],
  };
}

/** Where no database is named, the paused one is meant. */
function pausedOne(
  asked: z.infer<typeof askedSchema>,
  { poolers }: PoolerStates,
): z.infer<typeof askedSchema> {
  if (asked.database !== undefined) return asked;
  const paused = poolers
    .filter(({ name }) => asked.pooler === undefined || name === asked.pooler)
    .flatMap(({ name, databases }) =>
      databases
        .filter((each) => each.paused)
        .map((each) => ({ pooler: name, database: each.name })),
    );
  const [only] = paused;
  return only !== undefined && paused.length === 1 ? only : asked;
}
