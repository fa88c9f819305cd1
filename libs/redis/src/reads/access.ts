import { blindSpot, type BlindSpot, type Read } from '@starr/kernel';
import type { RedisAccess, RedisRequest } from '../request.ts';

/** What {@link policyAccessRead} and the act itself need; the policy in it is never set. */
const POLICY_COMMANDS: readonly (readonly string[])[] = [
  ['INFO'],
  ['CONFIG', 'GET', 'maxmemory-policy'],
  ['CONFIG', 'SET', 'maxmemory-policy', 'noeviction'],
];

/** Whether the acting credential may set the eviction policy, without setting anything. */
export const policyAccessRead: Read<RedisAccess, RedisRequest> = {
  id: 'redis.policy-access',
  timeoutMs: 2000,
  maxRows: POLICY_COMMANDS.length,
  request: () => ({ kind: 'access', as: 'acting', commands: POLICY_COMMANDS }),
  parse: (raw) => accessFromRaw(raw),
};

function accessFromRaw(raw: unknown): RedisAccess | BlindSpot {
  return typeof raw === 'object' && raw !== null && 'state' in raw && 'redisCli' in raw
    ? (raw as RedisAccess)
    : blindSpot('unsupported', 'the question for rights was not answered');
}
