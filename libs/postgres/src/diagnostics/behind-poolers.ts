import type { Pair } from '@starr/kernel';
import type { PooledClient, PooledSession, PooledSessions } from '../reads/pooled-sessions.ts';
import {
  LONG_IDLE_MS,
  SETTLED_MS,
  USED_ONCE_MS,
  type SessionGroup,
  type SessionGroups,
} from '../reads/session-groups.ts';

import type { Room } from './leak-rules.ts';

const MINUTE_MS = 60_000;

/** Sessions by what stands between them and their clients. */
export interface PartedGroups {
  /** Groups that no pooler has a part in, in both samples. */
  readonly direct: Pair<SessionGroups>;
  /** What is left of the groups in which a pooler has a part, without its sessions: now only. */
  readonly besides: SessionGroups;
  /** The sessions that clients hold through poolers, by those clients as the poolers see them: now only. */
  readonly behind: SessionGroups;
}

/**
 * The pools of which an application holds something while others wait: they are full, whatever the server has left.
 * undefined: nobody waits for them.
 */
export function starvedRoom(
  application: string,
  { sessions, waiting }: PooledSessions,
): Room | undefined {
  const poolOf = ({
    pooler,
    database,
    user,
  }: Pick<PooledSession, 'pooler' | 'database' | 'user'>) =>
    JSON.stringify([pooler, database, user]);
  const waitedFor = new Set(waiting.map(poolOf));
  const held = sessions.filter((each) => each.client?.application === application).map(poolOf);
  const starved = new Set(held.filter((pool) => waitedFor.has(pool)));
  if (starved.size === 0) return undefined;
  const size = sessions.filter((each) => starved.has(poolOf(each))).length;
  return { of: 'pool', used: size, usable: size };
}

type Held = PooledSession & { readonly client: PooledClient };

/**
 * The server sees a pooler where its clients are: their name at its address, and backends that serve one client after
 * another, so that neither who leaks nor whether a session was used once can be told from there. The pooler's own view
 * takes the place of those sessions. What it keeps for nobody is nobody's.
 */
export function partGroups(
  groups: Pair<SessionGroups>,
  sessions: readonly PooledSession[],
  now: Date,
): PartedGroups {
  const bySeen = Map.groupBy(sessions, (each) => keyOf(each.serverApplication, each.serverAddress));
  const isPooled = ({ application, address }: SessionGroup) =>
    bySeen.has(keyOf(application, address));
  const without = ({ groups: all, truncated }: SessionGroups): SessionGroups => ({
    groups: all.filter((group) => !isPooled(group)),
    truncated,
  });
  return {
    direct: { ...groups, before: without(groups.before), after: without(groups.after) },
    besides: {
      groups: groups.after.groups
        .filter(isPooled)
        .map((group) =>
          lessSessions(group, bySeen.get(keyOf(group.application, group.address)) ?? []),
        )
        .filter((group) => group.sessions > 0),
      truncated: false,
    },
    behind: { groups: groupsByClient(sessions.filter(isHeld), now), truncated: false },
  };
}

/** Whether the client took it once and never used it again; the pooler's clock tells seconds. */
export function wasUsedOnce({ client, state, stateMs }: PooledSession): boolean {
  return client !== undefined && isOnce(client) && state === 'idle' && stateMs >= SETTLED_MS;
}

function isOnce({ usedMs }: PooledClient): boolean {
  return usedMs <= USED_ONCE_MS;
}

function isHeld(session: PooledSession): session is Held {
  return session.client !== undefined;
}

function keyOf(application: string, address: string | undefined): string {
  return JSON.stringify([application, address]);
}

function groupsByClient(held: readonly Held[], now: Date): SessionGroup[] {
  const byClient = Map.groupBy(held, ({ client }) => keyOf(client.application, client.address));
  return [...byClient.values()].map((sessions) => groupOf(sessions, now));
}

function groupOf(sessions: readonly Held[], now: Date): SessionGroup {
  const [first] = sessions;
  const { application = '', address } = first?.client ?? {};
  const idle = sessions.filter(({ state }) => state === 'idle');
  const once = sessions.filter(wasUsedOnce);
  const ages = once.map(({ client }) => client.ageMs).toSorted((a, b) => b - a);
  const oldestMs = ages[Math.floor(ages.length * 0.05)];
  return {
    application,
    ...(address !== undefined && { address }),
    sessions: sessions.length,
    ...statesOf(sessions),
    longestIdleMs: Math.max(0, ...idle.map(({ stateMs }) => stateMs)),
    undecided: idle.filter(({ client, stateMs }) => isOnce(client) && stateMs < SETTLED_MS).length,
    usedOnce: once.length,
    usedOnceLastMinute: once.filter(({ client }) => client.ageMs < MINUTE_MS).length,
    usedOnceLastFiveMinutes: once.filter(({ client }) => client.ageMs < 5 * MINUTE_MS).length,
    idleSpreadMs: spreadOf(once.map(({ stateMs }) => stateMs)),
    ...(oldestMs !== undefined && { usedOnceSince: new Date(now.getTime() - oldestMs) }),
  };
}

function statesOf(sessions: readonly PooledSession[]) {
  const count = (holds: (session: PooledSession) => boolean) => sessions.filter(holds).length;
  return {
    active: count(({ state }) => state === 'active'),
    idleInTransaction: count(({ state }) => state.startsWith('idle in transaction')),
    idle: count(({ state }) => state === 'idle'),
    idleLong: count(({ state, stateMs }) => state === 'idle' && stateMs >= LONG_IDLE_MS),
    settled: count(({ state, stateMs }) => state === 'idle' && stateMs >= SETTLED_MS),
  };
}

/** The same counts as the server made them, taken off what it counted. */
function lessSessions(group: SessionGroup, sessions: readonly PooledSession[]): SessionGroup {
  const once = sessions.filter(
    ({ state, backendUsedMs }) => state === 'idle' && backendUsedMs < USED_ONCE_MS,
  );
  const settled = once.filter(({ stateMs }) => stateMs >= SETTLED_MS);
  const younger = (ageMs: number) => settled.filter((each) => each.backendAgeMs < ageMs).length;
  const off = {
    sessions: sessions.length,
    ...statesOf(sessions),
    undecided: once.length - settled.length,
    usedOnce: settled.length,
    usedOnceLastMinute: younger(MINUTE_MS),
    usedOnceLastFiveMinutes: younger(5 * MINUTE_MS),
  };
  const left = Object.entries(off).map(([name, count]) => [
    name,
    Math.max(0, group[name as keyof typeof off] - count),
  ]);
  return { ...group, ...(Object.fromEntries(left) as typeof off) };
}

/** 10th to 90th percentile. */
function spreadOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.round((sorted.length - 1) * share)] ?? 0;
  return at(0.9) - at(0.1);
}
