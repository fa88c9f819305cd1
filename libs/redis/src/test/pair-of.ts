import type { Look, Pair } from '@starr/kernel';
import type { RedisInfo } from '../reads/info.ts';
import { infoAt, type InfoChange } from './info-at.ts';

export const NOW = new Date('2026-11-24T03:12:08.000Z');

export const LOOK: Look = {
  now: NOW,
  windowMs: 1_800_000,
  version: 'Redis 7.0.15',
  target: 'sessions',
  options: {},
};

/** Two samples of one server a minute apart: `before` is as `after`, but for what it says itself. */
export function pairOf(
  after: InfoChange,
  before: InfoChange = {},
  elapsedMs = 60_000,
): Pair<RedisInfo> {
  return { before: infoAt({ ...after, ...before }), after: infoAt(after), elapsedMs };
}
