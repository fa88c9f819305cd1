import {
  defineRemedy,
  type Entity,
  type Plan,
  type PlanRefused,
  type Receipt,
} from '@starr/kernel';
import { z } from 'zod';
import type { AlterConnectionLimitAct, AlterOf } from '../acts/alter.ts';
import { alteredInWords, alterOf, alterSql } from '../alter-sql.ts';
import { databaseEntity } from '../entities.ts';
import type { PostgresAct } from '../postgres-act.ts';
import { alterableRead, type Alterable, type Alterables } from '../reads/alterable.ts';
import { slotsRead, type Slots } from '../reads/slots.ts';
import { SLOT_THRESHOLDS } from '../diagnostics/slot-pressure.ts';
import { lackToAlter } from './may-alter.ts';

/** At its limit the next connect is refused; the first moment of the rush is not yet that. */
const FULL_RATIO = 1;
const MARGIN = 0.01;
const NAME = z.string().min(1).max(63);
const paramsSchema = z
  .strictObject({
    /** The role whose limit is hit. */
    role: NAME.optional(),
    /** The database whose limit is hit. */
    database: NAME.optional(),
    /** The new CONNECTION LIMIT; above the old one, at most the usable slots of the server. */
    limit: z.int().min(1).max(262_143),
  })
  .refine(({ role, database }) => (role === undefined) !== (database === undefined), {
    error: 'role or database, one of both',
  });

export const raiseConnectionLimit = defineRemedy({
  id: 'db.raise-connection-limit',
  title: 'Raise the connection limit of a role or database',
  explains:
    'A role or a database can be full while the server is empty: its CONNECTION LIMIT is reached, and ending the sessions of others does not help. ' +
    'Raises it, up to the usable slots of the server, and takes effect at once. Refused while the server itself is nearly full, since then it only moves the trouble. ' +
    'The old limit is in the receipt; undo puts it back, and sessions beyond it stay until they end.',
  params: paramsSchema,
  reads: { alterable: alterableRead, slots: slotsRead },
  plan: ({ limit, ...whose }, { alterable, slots }, look): Plan<PostgresAct> | PlanRefused => {
    const of = alterOf(whose);
    const one = find(alterable, of);
    if (one === undefined) return { refused: `there is no ${alteredInWords(of)} that can connect` };
    const refused = whyNot(one, limit, slots) ?? lackToAlter(one, look);
    if (refused !== undefined) return { refused };
    return planOf(
      { kind: 'alter-connection-limit', ...of, from: one.limit, to: limit },
      one,
      slots,
      look.target,
    );
  },
  undo: ([receipt], { alterable, slots }, look): Plan<PostgresAct> | PlanRefused => {
    const act = receipt && actFrom(receipt);
    if (act === undefined) return { refused: 'the receipt is not of a connection limit' };
    const one = find(alterable, act);
    if (one === undefined) return { refused: `${alteredInWords(act)} is gone` };
    if (one.limit !== act.to)
      return {
        refused: `the limit of ${alteredInWords(act)} is ${one.limit} by now, not ${act.to}`,
      };
    const lack = lackToAlter(one, look);
    if (lack !== undefined) return { refused: lack };
    return planOf({ ...act, from: act.to, to: act.from }, one, slots, look.target);
  },
});

function find({ all }: Alterables, { role, database }: AlterOf): Alterable | undefined {
  return all.find((one) =>
    role === undefined
      ? one.of === 'database' && one.name === database
      : one.of === 'role' && one.name === role,
  );
}

function whyNot(one: Alterable, limit: number, { usable, used }: Slots): string | undefined {
  const who = `${one.of} ${one.name}`;
  if (one.limit === -1) return `${who} has no limit: something else turns its clients away`;
  if (one.isSuperuser) return `${who} is a superuser, which no limit binds`;
  if (limit <= one.limit) return `the limit of ${who} is ${one.limit} already`;
  if (limit > usable)
    return `limit ${limit} is above the ${usable} usable slots of the server; allowed: ${one.limit + 1} to ${usable}`;
  if (used >= usable * SLOT_THRESHOLDS.criticalRatio.value)
    return `the server itself is nearly full (${used} of ${usable} slots): a higher limit would only move the trouble`;
  return undefined;
}

function planOf(
  act: AlterConnectionLimitAct,
  one: Alterable,
  slots: Slots,
  target: string,
): Plan<PostgresAct> {
  const { from, to } = act;
  const isUndo = to < from;
  const about = entityOf(one, target);
  return {
    operations: [
      {
        act,
        says: `${isUndo ? 'put' : 'raise'} the connection limit of ${alteredInWords(act)} ${isUndo ? 'back ' : ''}from ${from} to ${to}; ${one.sessions} sessions count against it now`,
        byHand: alterSql(act),
        reversible: true,
        onRefused: 'stop',
        onFailed: 'stop',
      },
    ],
    effect: {
      diagnostic: 'db.connection-limits',
      about,
      measurement: 'limitUseRatio',
      // Back at the old limit it may well be full again, and is then as it was; only beyond it is it amiss.
      below: isUndo ? Math.max(1, one.sessions / Math.max(1, to)) + MARGIN : FULL_RATIO,
      settleMs: 2000,
      holdMs: 30_000,
      withinMs: 120_000,
      onMiss: 'ask',
    },
    touches: [{ name: 'connectionLimit', about, value: to }],
    warnings: isUndo
      ? one.sessions > to
        ? [
            `${one.sessions - to} sessions more than that are open; they stay, and no new one gets in`,
          ]
        : []
      : [
          `${slots.usable - slots.used} of ${slots.usable} slots of the server are free`,
          ...(one.sessions >= from
            ? ['who was turned away may come back all at once']
            : ['it is not reached at the moment']),
        ],
  };
}

function entityOf(one: Alterable, target: string): Entity {
  return one.of === 'database'
    ? databaseEntity(target, one.name)
    : { kind: 'role', name: one.name, scope: target };
}

const actSchema = z.object({
  kind: z.literal('alter-connection-limit'),
  role: z.string().optional(),
  database: z.string().optional(),
  from: z.int(),
  to: z.int(),
});

function actFrom(receipt: Receipt): AlterConnectionLimitAct | undefined {
  const parsed = actSchema.safeParse(receipt.act);
  if (!parsed.success) return undefined;
  const { kind, from, to } = parsed.data;
  return { kind, ...alterOf(parsed.data), from, to };
}
