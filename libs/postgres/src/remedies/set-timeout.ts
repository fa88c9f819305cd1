import {
  defineRemedy,
  type Effect,
  type Entity,
  type Plan,
  type PlanRefused,
  type Receipt,
} from '@starr/kernel';
import { z } from 'zod';
import type { AlterOf, AlterSettingAct } from '../acts/alter.ts';
import { alteredInWords, alterOf, alterSql } from '../alter-sql.ts';
import { databaseEntity, serverEntity } from '../entities.ts';
import type { PostgresAct } from '../postgres-act.ts';
import { alterableRead, type Alterable, type Alterables } from '../reads/alterable.ts';
import { majorOf } from '../reads/rows-read.ts';
import { lackToAlter } from './may-alter.ts';
import { protectedApplications } from './protection.ts';

const SETTINGS = [
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'idle_session_timeout',
  'transaction_timeout',
] as const;
type Setting = (typeof SETTINGS)[number];

/** Since when the server knows it. */
const SINCE = {
  statement_timeout: 13,
  lock_timeout: 13,
  idle_in_transaction_session_timeout: 13,
  idle_session_timeout: 14,
  transaction_timeout: 17,
} as const satisfies Record<Setting, number>;

const SHORTEST_MS = 100;
const LONGEST_MS = 86_400_000;
const NAME = z.string().min(1).max(63);

const paramsSchema = z
  .strictObject({
    setting: z.enum(SETTINGS),
    /** The new value. 0, which switches a timeout off, is not offered: undo takes it away. */
    ms: z.int().min(SHORTEST_MS).max(LONGEST_MS),
    /** For the sessions of this role. */
    role: NAME.optional(),
    /** For the sessions in this database; with `role`: of this role in this database. */
    database: NAME.optional(),
  })
  .refine(({ role, database }) => role !== undefined || database !== undefined, {
    error: 'role, database, or both: a server-wide timeout hits replication and maintenance too',
  });

export const setTimeoutRemedy = defineRemedy({
  id: 'db.set-timeout',
  title: 'Set a timeout for a role or database',
  explains:
    'Sets statement_timeout, lock_timeout, idle_in_transaction_session_timeout, idle_session_timeout (14 and newer) or transaction_timeout (17 and newer) for a role, a database, or a role in a database. ' +
    'It holds for sessions that begin after it; those that are open keep what they began with. The old value is in the receipt, and undo puts it back. ' +
    'Everything under that role is bound by it, dumps and migrations too.',
  params: paramsSchema,
  reads: { alterable: alterableRead },
  plan: ({ setting, ms, ...whose }, { alterable }, look): Plan<PostgresAct> | PlanRefused => {
    const of = alterOf(whose);
    const since = SINCE[setting];
    if (majorOf(look.version) < since)
      return {
        refused: `${setting} is there from PostgreSQL ${since} on; this is ${look.version}`,
      };
    const found = findAll(alterable, of);
    if ('refused' in found) return found;
    const names = protectedApplications(look.options['protect']);
    if (of.role !== undefined && names.includes(of.role))
      return { refused: `role ${of.role} is protected` };
    const lack = lackToAlter(found.altered, look);
    if (lack !== undefined) return { refused: lack };
    const from = valueOf(alterable, of, setting);
    const to = `${ms}ms`;
    if (from === to) return { refused: `${setting} of ${alteredInWords(of)} is ${to} already` };
    const act: AlterSettingAct = {
      kind: 'alter-setting',
      ...of,
      setting,
      ...(from !== undefined && { from }),
      to,
    };
    return planOf(act, found.altered, effectOf(setting, ms, look.target), look.target);
  },
  undo: ([receipt], { alterable }, look): Plan<PostgresAct> | PlanRefused => {
    const act = receipt && actFrom(receipt);
    if (act === undefined) return { refused: 'the receipt is not of a timeout' };
    const of = alterOf(act);
    const found = findAll(alterable, of);
    if ('refused' in found) return found;
    const now = valueOf(alterable, of, act.setting);
    if (now !== act.to)
      return {
        refused: `${act.setting} of ${alteredInWords(of)} is ${now ?? 'not set'} by now, not ${act.to ?? 'not set'}`,
      };
    const lack = lackToAlter(found.altered, look);
    if (lack !== undefined) return { refused: lack };
    const back: AlterSettingAct = {
      kind: 'alter-setting',
      ...of,
      setting: act.setting,
      ...(act.to !== undefined && { from: act.to }),
      ...(act.from !== undefined && { to: act.from }),
    };
    return planOf(back, found.altered, effectOf(act.setting, LONGEST_MS, look.target), look.target);
  },
});

/** Whose right to alter counts: the role where one is given. */
function findAll(
  { all, truncated }: Alterables,
  { role, database }: AlterOf,
): { readonly altered: Alterable } | PlanRefused {
  const owner = all.find((one) => one.of === 'role' && one.name === role);
  const within = all.find((one) => one.of === 'database' && one.name === database);
  const beyond = truncated ? '; there are more roles and databases than were looked at' : '';
  if (role !== undefined && owner === undefined)
    return { refused: `there is no role ${role} that can log in${beyond}` };
  if (database !== undefined && within === undefined)
    return { refused: `there is no database ${database} that lets anybody in${beyond}` };
  const altered = owner ?? within;
  return altered === undefined ? { refused: 'neither role nor database is given' } : { altered };
}

function valueOf(
  { all, inDatabase }: Alterables,
  { role, database }: AlterOf,
  setting: string,
): string | undefined {
  const settings =
    role !== undefined && database !== undefined
      ? inDatabase.find((each) => each.role === role && each.database === database)?.settings
      : all.find(
          (one) =>
            one.of === (role === undefined ? 'database' : 'role') &&
            one.name === (role ?? database),
        )?.settings;
  return settings?.find((each) => each.startsWith(`${setting}=`))?.slice(setting.length + 1);
}

function planOf(
  act: AlterSettingAct,
  altered: Alterable,
  effect: Effect,
  target: string,
): Plan<PostgresAct> {
  const about: Entity =
    altered.of === 'database'
      ? databaseEntity(target, altered.name)
      : { kind: 'role', name: altered.name, scope: target };
  const was = act.from ?? 'not set there';
  return {
    operations: [
      {
        act,
        says:
          act.to === undefined
            ? `take ${act.setting} = ${was} of ${alteredInWords(act)} away again`
            : `set ${act.setting} of ${alteredInWords(act)} to ${act.to}; it was ${was}`,
        byHand: alterSql(act),
        reversible: true,
        onRefused: 'stop',
        onFailed: 'stop',
      },
    ],
    effect,
    touches: [{ name: 'sessionsUnderIt', about, value: altered.sessions }],
    warnings: [
      `${altered.sessions} sessions that are open keep what they began with; only new ones get it`,
      'dumps, migrations and jobs under it are bound by it too',
    ],
  };
}

/** What the timeout bounds, of all sessions: those of others can keep it from being established, which is then said. */
function effectOf(setting: Setting, ms: number, target: string): Effect {
  return {
    about: serverEntity(target),
    ...MOVES[setting],
    // The server looks at its timers when they are due; a second more is no miss.
    below: ms + 1000,
    settleMs: 2000,
    holdMs: 60_000,
    withinMs: 900_000,
    onMiss: 'ask',
  };
}

const MOVES = {
  statement_timeout: { diagnostic: 'db.long-running-queries', measurement: 'longestActiveMs' },
  lock_timeout: { diagnostic: 'db.lock-waits', measurement: 'longestBlockedMs' },
  idle_in_transaction_session_timeout: {
    diagnostic: 'db.idle-in-transaction',
    measurement: 'longestIdleInTransactionMs',
  },
  idle_session_timeout: { diagnostic: 'db.idle-sessions', measurement: 'longestIdleMs' },
  transaction_timeout: {
    diagnostic: 'db.long-running-queries',
    measurement: 'longestTransactionMs',
  },
} as const satisfies Record<Setting, { diagnostic: string; measurement: string }>;

const actSchema = z.object({
  kind: z.literal('alter-setting'),
  role: z.string().optional(),
  database: z.string().optional(),
  setting: z.enum(SETTINGS),
  from: z.string().optional(),
  to: z.string().optional(),
});

function actFrom(receipt: Receipt): (AlterSettingAct & { readonly setting: Setting }) | undefined {
  const parsed = actSchema.safeParse(receipt.act);
  if (!parsed.success) return undefined;
  const { kind, setting, from, to } = parsed.data;
  return {
    kind,
    setting,
    ...alterOf(parsed.data),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
  };
}
