import {
  defineRemedy,
  durationText,
  optional,
  type Effect,
  type Entity,
  type Operation,
  type Plan,
  type PlanRefused,
} from '@starr/kernel';
import { z } from 'zod';
import { applicationEntity, serverEntity } from '../entities.ts';
import type { PostgresAct } from '../postgres-act.ts';
import { idleCandidatesRead, type IdleSession } from '../reads/idle-candidates.ts';
import { pooledSessionsRead } from '../reads/pooled-sessions.ts';
import { slotsRead, type Slots } from '../reads/slots.ts';
import { SLOT_THRESHOLDS } from '../diagnostics/slot-pressure.ts';
import { protectedApplications, reasonToSpare } from './protection.ts';
import { seenThroughPoolers } from './seen-through-poolers.ts';
import { capped, shareOf } from './session-cap.ts';
import { terminateByHand } from './terminate-by-hand.ts';

const DEFAULT_LIMIT = 200;
const MOST = 500;
const SHORTEST_FLOOR_MS = 1000;
const MINUTE_MS = 60_000;

const paramsSchema = z
  .strictObject({
    /** application_name; '' for sessions without one. Absent: any. */
    application: z.string().max(63).optional(),
    /** Client addresses, separated by commas. Absent: any. */
    addresses: z.string().max(4096).optional(),
    /** Idle for at least so long, used once or not. Absent: only sessions that were used once (the leak fingerprint). */
    idleFloorMs: z.number().min(SHORTEST_FLOOR_MS).optional(),
    /** At most this share of an application's idle sessions, 0–1, one at least. Default 0.2 with idleFloorMs, else 1. */
    maxShare: z.number().gt(0).max(1).optional(),
    /** At most so many, the longest idle first. Default 200. */
    limit: z.int().min(1).max(MOST).default(DEFAULT_LIMIT),
  })
  .refine(
    ({ application, idleFloorMs }) => application !== undefined || idleFloorMs !== undefined,
    {
      error: 'application, idleFloorMs, or both: without either it would mean every session',
    },
  );

type TerminateParams = z.infer<typeof paramsSchema>;

/** Irreversible: a session that is ended is gone. Its application opens another when it needs one. */
export const terminateIdleSessions = defineRemedy({
  id: 'db.terminate-idle-sessions',
  title: 'End idle sessions',
  explains:
    'Ends idle sessions: those of an application (and of some of its addresses) that were used once and never again, or those idle for longer than a floor. ' +
    'The plan names each one by pid, start and idle spell, and a session that has moved since is left alone. Replication, superusers, holders of advisory locks, ' +
    'listeners and protected applications are never ended, and by a floor no more than a fifth of an application’s idle sessions at a time. Behind a configured pooler the application and the addresses are those of its clients. It frees slots; it does not stop a leak.',
  params: paramsSchema,
  reads: {
    candidates: idleCandidatesRead,
    slots: slotsRead,
    pooled: optional(pooledSessionsRead),
  },
  plan: (params, { candidates, slots, pooled }, look): Plan<PostgresAct> | PlanRefused => {
    const names = protectedApplications(look.options['protect']);
    const sessions = seenThroughPoolers(candidates.sessions, pooled);
    const matching = sessions.filter((session) => matches(session, params));
    const spared = matching.filter((session) => reasonToSpare(session, names) !== undefined);
    const free = matching.filter((session) => !spared.includes(session));
    const share = shareOf(params.maxShare, params.idleFloorMs);
    const within = capped(free, sessions, share);
    const chosen = within.slice(0, params.limit);
    if (chosen.length === 0) return { refused: nothingToEnd(params, spared, names) };
    const about =
      params.application === undefined
        ? serverEntity(look.target)
        : applicationEntity(look.target, params.application);
    return {
      operations: [operationFrom(chosen, params, names)],
      effect: effectOf(chosen.length, slots, serverEntity(look.target)),
      touches: [
        { name: 'sessionsEnded', about, value: chosen.length },
        { name: 'sessionsSpared', about, value: spared.length },
      ],
      warnings: [
        ...sparedInWords(spared, names),
        ...beyondShare(free.length - within.length, share),
        ...leftOver(within.length - chosen.length, candidates.truncated),
        ...refill(chosen, slots),
        'applications that pool connections open new ones: a leak goes on until its cause is cured',
      ],
    };
  },
});

function matches(session: IdleSession, params: TerminateParams): boolean {
  const { application, addresses, idleFloorMs } = params;
  if (application !== undefined && session.application !== application) return false;
  if (addresses !== undefined && !listOf(addresses).includes(session.address ?? '')) return false;
  return idleFloorMs === undefined ? session.usedOnce : session.idleMs >= idleFloorMs;
}

function listOf(text: string): string[] {
  return text.split(',').map((each) => each.trim());
}

function operationFrom(
  chosen: readonly IdleSession[],
  { idleFloorMs }: TerminateParams,
  protectedNames: readonly string[],
): Operation<PostgresAct> {
  const sessions = chosen.map(({ pid, backendStart, stateChange }) => ({
    pid,
    backendStart,
    stateChange,
  }));
  const ages = chosen.map(({ idleMs }) => idleMs);
  const how = idleFloorMs === undefined ? 'each used once and ' : '';
  return {
    act: { kind: 'terminate-sessions', sessions, protectedApplications: protectedNames },
    says:
      `end ${counted(chosen.length)} of ${whose(chosen)}, ${how}idle for ` +
      `${durationText(Math.min(...ages))} to ${durationText(Math.max(...ages))}; one that has moved since is left alone`,
    byHand: terminateByHand(sessions),
    reversible: false,
    onRefused: 'stop',
    onFailed: 'stop',
  };
}

function counted(sessions: number): string {
  return sessions === 1 ? '1 session' : `${sessions} sessions`;
}

function whose(chosen: readonly IdleSession[]): string {
  const names = [
    ...new Set(chosen.map(({ application }) => applicationEntity('', application).name)),
  ];
  const addresses = new Set(chosen.map(({ address }) => address));
  const who = names.length <= 3 ? names.join(', ') : `${names.length} applications`;
  const [address] = addresses;
  return addresses.size === 1
    ? `${who} at ${address ?? 'the local socket'}`
    : `${who} at ${addresses.size} addresses`;
}

/** Below the warning ratio where ending them leads there, else half of what they hold. */
function effectOf(ended: number, { used, usable }: Slots, about: Entity): Effect {
  const halfWay = (used - ended / 2) / Math.max(1, usable);
  return {
    diagnostic: 'db.connection-use',
    about,
    measurement: 'useRatio',
    below: Math.min(SLOT_THRESHOLDS.warnRatio.value, round(halfWay)),
    settleMs: 5000,
    // A pool opens again what was ended: what does not hold for so long was churn, not relief.
    holdMs: 30_000,
    withinMs: 120_000,
    onMiss: 'ask',
  };
}

function round(ratio: number): number {
  return Math.round(ratio * 1000) / 1000;
}

function sparedInWords(spared: readonly IdleSession[], names: readonly string[]): string[] {
  const reasons = Map.groupBy(spared, (session) => reasonToSpare(session, names) ?? '');
  return [...reasons].map(
    ([reason, sessions]) =>
      `spared: ${counted(sessions.length)} (${reason}): pid ${sessions
        .slice(0, 10)
        .map(({ pid }) => pid)
        .join(', ')}${sessions.length > 10 ? ' …' : ''}`,
  );
}

/** The rest may go when the effect has held: a service that loses most of its sessions at once opens them all at once. */
function beyondShare(left: number, share: number): string[] {
  if (left === 0) return [];
  return [
    `${counted(left)} more match and stay: at most ${Math.round(share * 100)} % of an application’s idle sessions are ended at a time (maxShare)`,
  ];
}

function leftOver(left: number, truncated: boolean): string[] {
  return [
    ...(left > 0 ? [`${counted(left)} more match; the longest idle are ended first`] : []),
    ...(truncated ? ['there are more idle sessions than were looked at'] : []),
  ];
}

/** Those started in the last minute and left over tell the pace at which it fills again. */
function refill(chosen: readonly IdleSession[], { used, usable }: Slots): string[] {
  const perMinute = chosen.filter(({ ageMs }) => ageMs < MINUTE_MS).length;
  if (perMinute === 0) return [];
  const freeAfter = Math.max(0, usable - used) + chosen.length;
  return [
    `at ${perMinute} new ones a minute it is full again in ~${durationText((freeAfter / perMinute) * MINUTE_MS)}`,
  ];
}

function nothingToEnd(
  { application, idleFloorMs }: TerminateParams,
  spared: readonly IdleSession[],
  names: readonly string[],
): string {
  if (spared.length > 0)
    return `all that match are protected: ${sparedInWords(spared, names).join('; ')}`;
  const of = application === undefined ? '' : ` of ${applicationEntity('', application).name}`;
  return idleFloorMs === undefined
    ? `no idle session${of} was used once and left idle`
    : `no session${of} has been idle for ${durationText(idleFloorMs)}`;
}
