import { blindSpot, type BlindSpot, type Read } from '@starr/kernel';
import type { RedisAccess, RedisRequest, RedisRights } from '../request.ts';

/** Each with arguments that it takes; they are queued and thrown away. SETNAME, LIST and KILL fence a lost act. */
const POLICY_COMMANDS: readonly (readonly string[])[] = [
  ['INFO'],
  ['CONFIG', 'GET', 'maxmemory-policy'],
  ['CONFIG', 'SET', 'maxmemory-policy', 'noeviction'],
];
const FENCE_COMMANDS: readonly (readonly string[])[] = [
  ['CLIENT', 'SETNAME', 'starr'],
  ['CLIENT', 'LIST'],
  ['CLIENT', 'KILL', 'ID', '0'],
];

/** Whether the acting credential may set the eviction policy, without setting anything. MULTI serves this question alone. */
export const policyAccessRead: Read<RedisAccess, RedisRequest> = {
  id: 'redis.policy-access',
  timeoutMs: 2000,
  maxRows: POLICY_COMMANDS.length,
  request: () => ({ kind: 'acting-rights', commands: POLICY_COMMANDS }),
  parse: (raw) => (holds(raw, 'state') ? (raw as RedisAccess) : unanswered()),
};

/** The same with what is good to have while acting. */
export const actingRightsRead: Read<RedisAccess, RedisRequest> = {
  id: 'redis.acting-rights',
  timeoutMs: 2000,
  maxRows: POLICY_COMMANDS.length + FENCE_COMMANDS.length,
  request: () => ({ kind: 'acting-rights', commands: [...POLICY_COMMANDS, ...FENCE_COMMANDS] }),
  parse: (raw) => (holds(raw, 'state') ? (raw as RedisAccess) : unanswered()),
};

/** What the looking credential may use. */
export const lookingRightsRead: Read<RedisRights, RedisRequest> = {
  id: 'redis.looking-rights',
  timeoutMs: 2000,
  maxRows: 3,
  request: () => ({ kind: 'looking-rights' }),
  parse: (raw) => (holds(raw, 'answers') ? (raw as RedisRights) : unanswered()),
};

function holds(raw: unknown, member: string): boolean {
  return typeof raw === 'object' && raw !== null && member in raw;
}

function unanswered(): BlindSpot {
  return blindSpot('unsupported', 'the question for rights was not answered');
}
