import type { ConnectionLimits } from '../reads/connection-limits.ts';
import type { SessionShares } from '../reads/session-shares.ts';
import type { Room } from './leak-rules.ts';

/**
 * The connection limit of a role or a database that an application has reached: it is full, whatever the server has left.
 * Of several the smallest. undefined: it has reached none.
 */
export function limitedRoom(
  application: string,
  { limits }: ConnectionLimits,
  { shares }: SessionShares,
): Room | undefined {
  const rooms = limits.flatMap(({ of, name, limit }): Room[] => {
    const own = shares.filter((share) => share[of] === name);
    if (!own.some((share) => share.application === application)) return [];
    const used = own.reduce((sum, { sessions }) => sum + sessions, 0);
    return limit > 0 && used >= limit ? [{ of: 'limit', used, usable: limit }] : [];
  });
  return rooms.toSorted((a, b) => a.usable - b.usable)[0];
}
