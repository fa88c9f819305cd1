import {
  blindFromError,
  isBlindSpot,
  type Adapter,
  type BlindSpot,
  type Limit,
  type Look,
} from '@starr/kernel';
import { lockForestFrom, type LockForest } from './lock-forest.ts';
import type { PostgresAct } from './postgres-act.ts';
import type { PostgresRequest } from './postgres-request.ts';
import { lockWaitsRead } from './reads/lock-waits.ts';

const GREET_TIMEOUT_MS = 2000;

/** The lock forest of a target as it is now, with the server's clock, or why it cannot be seen. Never fails. */
export async function seeLockForest(
  adapter: Adapter<PostgresRequest, PostgresAct>,
  target: string,
  signal: AbortSignal,
): Promise<{ readonly seenAt: Date; readonly forest: LockForest } | BlindSpot> {
  const limitOf = (timeoutMs: number, maxRows: number): Limit => ({
    timeoutMs,
    maxRows,
    signal,
    spend: () => undefined,
  });
  try {
    const greeting = await adapter.greet(limitOf(GREET_TIMEOUT_MS, 1));
    const look: Look = { ...greeting, windowMs: 0, target, options: {} };
    const request = lockWaitsRead.request(look);
    if (isBlindSpot(request)) return request;
    const { timeoutMs, maxRows } = lockWaitsRead;
    const waits = lockWaitsRead.parse(
      await adapter.perform(request, limitOf(timeoutMs, maxRows)),
      look,
    );
    return isBlindSpot(waits) ? waits : { seenAt: look.now, forest: lockForestFrom(waits) };
  } catch (error) {
    return blindFromError(error);
  }
}
