import type { Clock, DoctorError, Limit, Outcome, Progress } from '@starr/kernel';
import { isPoolerAct } from '../acts/pooler.ts';
import type { PostgresAct } from '../postgres-act.ts';
import type { PostgresConfig } from '../postgres-config.ts';
import { ActingSession } from './acting-session.ts';
import { applyAct } from './apply.ts';
import { applyPoolerAct } from './apply-pooler-act.ts';
import { contextFrom } from './connect.ts';
import type { HeldSession } from './held-session.ts';
import type { Poolers } from './poolers.ts';

/** Acts with the second credential. */
export interface Acting {
  /** Opens the acting session while there is room for it; nothing happens where no acting credential is configured. */
  hold(limit: Limit): void;
  apply(act: PostgresAct, operationId: string, limit: Limit): AsyncIterable<Progress | Outcome>;
  isRunning(operationId: string): boolean;
  cancel(operationId: string): Promise<void>;
  close(): void;
}

export function createActing(
  config: PostgresConfig,
  clock: Clock,
  { looking, poolers }: { readonly looking: HeldSession; readonly poolers: Poolers },
  onRefused: (error: DoctorError) => void,
): Acting {
  /** operation → whether somebody asked to stop. */
  const running = new Map<string, { cancelled: boolean }>();
  const session =
    config.acting &&
    new ActingSession({ config, credential: config.acting, clock, looking, onRefused });
  return {
    hold: (limit) => {
      session?.hold(limit);
    },
    close: () => {
      session?.close();
    },
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
    const isCancelled = () => running.get(operationId)?.cancelled ?? false;
    if (isPoolerAct(act)) {
      // No session of the server is needed for it.
      yield* applyPoolerAct(act, { limit, consoles: poolers.consoles, isCancelled });
      return;
    }
    const { acting } = config;
    if (acting === undefined || session === undefined) {
      yield {
        kind: 'outcome',
        outcome: 'failed',
        says: 'nothing was done: no acting credential is configured for this target',
      };
      return;
    }
    yield* applyAct(act, {
      limit,
      operationId,
      role: contextFrom(config, acting.user),
      open: () => session.take(limit),
      isCancelled,
      close: (client, isFit) => {
        session.giveBack(client, isFit);
      },
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
