import {
  type Clock,
  type DoctorError,
  type Limit,
  type Outcome,
  type Progress,
  isDoctorError,
} from '@starr/kernel';
import type { Client } from 'pg';
import type { PostgresAct } from '../postgres-act.ts';
import type { PostgresConfig, PostgresCredential } from '../postgres-config.ts';
import { applyAct } from './apply.ts';
import { connect, contextFrom, discard } from './connect.ts';
import type { HeldSession } from './held-session.ts';
import { stateOf } from './pg-error.ts';

/** How often a slot that was just given up is tried for: others may be faster. */
const LENT_SLOT_ATTEMPTS = 5;
const LENT_SLOT_PAUSE_MS = 100;
const CONNECT_WITHIN_MS = 3000;

/** Acts with the second credential, whose session exists only while it acts. */
export interface Acting {
  apply(act: PostgresAct, operationId: string, limit: Limit): AsyncIterable<Progress | Outcome>;
  isRunning(operationId: string): boolean;
  cancel(operationId: string): Promise<void>;
}

export function createActing(
  config: PostgresConfig,
  clock: Clock,
  looking: HeldSession,
  onRefused: (error: DoctorError) => void,
): Acting {
  /** operation → whether somebody asked to stop. */
  const running = new Map<string, { cancelled: boolean }>();
  return {
    apply: (act, operationId, limit) =>
      tracked(running, operationId, () => run(act, operationId, limit)),
    isRunning: (operationId) => running.has(operationId),
    cancel: (operationId) => {
      const known = running.get(operationId);
      if (known !== undefined) known.cancelled = true;
      return Promise.resolve();
    },
  };

  async function* run(
    act: PostgresAct,
    operationId: string,
    limit: Limit,
  ): AsyncGenerator<Progress | Outcome> {
    const { acting } = config;
    if (acting === undefined) {
      yield {
        kind: 'outcome',
        outcome: 'failed',
        says: 'nothing was done: no acting credential is configured for this target',
      };
      return;
    }
    yield* applyAct(act, {
      limit,
      role: contextFrom(config, acting.user),
      open: () => open(config, acting, clock, looking, limit, onRefused),
      isCancelled: () => running.get(operationId)?.cancelled ?? false,
      close: discard,
    });
  }
}

async function* tracked(
  running: Map<string, { cancelled: boolean }>,
  operationId: string,
  work: () => AsyncGenerator<Progress | Outcome>,
): AsyncGenerator<Progress | Outcome> {
  running.set(operationId, { cancelled: false });
  try {
    yield* work();
  } finally {
    running.delete(operationId);
  }
}

/**
 * When no slot is left for the acting role, the one that we hold ourselves is lent to it: the diagnosing session
 * is given up and opened again by the next look. Servers before 16 have no other way in.
 */
async function open(
  config: PostgresConfig,
  acting: PostgresCredential,
  clock: Clock,
  looking: HeldSession,
  limit: Limit,
  onRefused: (error: DoctorError) => void,
): Promise<Client> {
  for (let attempt = 0; ; attempt += 1) {
    limit.spend('connections', 1);
    try {
      return await connect(config, acting, CONNECT_WITHIN_MS);
    } catch (thrown) {
      const refused = isDoctorError(thrown) && stateOf(thrown.cause) === '53300';
      if (refused) onRefused(thrown);
      const mayLend = attempt === 0 ? looking.isHeld : attempt < LENT_SLOT_ATTEMPTS;
      if (!refused || !mayLend) throw thrown;
      if (attempt === 0) await looking.release();
      await clock.sleep(LENT_SLOT_PAUSE_MS);
    }
  }
}
