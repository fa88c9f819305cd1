import type { Clock, DoctorError, Limit, Outcome, Progress } from '@starr/kernel';
import type { Client } from 'pg';
import { isMaintenanceAct } from '../acts/maintenance.ts';
import { isPoolerAct } from '../acts/pooler.ts';
import type { PostgresAct } from '../postgres-act.ts';
import type { PostgresConfig } from '../postgres-config.ts';
import type { LongActContext } from './act-context.ts';
import { ActingSession } from './acting-session.ts';
import { applyAct } from './apply.ts';
import { applyMaintenance } from './apply-maintenance.ts';
import { applyPoolerAct } from './apply-pooler-act.ts';
import { answeredWithin } from './answered-within.ts';
import { contextFrom } from './connect.ts';
import { failed } from './failed.ts';
import type { HeldSession } from './held-session.ts';
import { LongSessions } from './long-session.ts';
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
  const long = config.acting && new LongSessions(config, config.acting);
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
    if (acting === undefined || session === undefined || long === undefined) {
      yield failed('nothing was done: no acting credential is configured for this target');
      return;
    }
    const context = {
      limit,
      operationId,
      role: contextFrom(config, acting.user),
      open: () => session.take(limit),
      isCancelled,
      close: (client: Client, isFit: boolean) => {
        session.giveBack(client, isFit);
      },
    };
    if (isMaintenanceAct(act))
      yield* applyMaintenance(act, { ...context, ...longContext(long, session, looking, limit) });
    else yield* applyAct(act, context);
  }
}

/** A look at what a session of ours is at takes a moment, whatever the act itself may take. */
const LOOK_WITHIN_MS = 1000;
const CANCEL_WITHIN_MS = 4000;

function longContext(
  long: LongSessions,
  session: ActingSession,
  looking: HeldSession,
  limit: Limit,
): Pick<LongActContext, 'openLong' | 'closeLong' | 'cancelLong' | 'look'> {
  return {
    openLong: (lockTimeoutMs) => long.open(lockTimeoutMs),
    closeLong: (client) => {
      long.close(client);
    },
    cancelLong: async (pid) => {
      const client = await session.take(limit);
      let isFit = false;
      try {
        const cancel = client.query('SELECT pg_catalog.pg_cancel_backend($1)', [pid]);
        await answeredWithin(cancel, CANCEL_WITHIN_MS);
        isFit = true;
      } finally {
        session.giveBack(client, isFit);
      }
    },
    look: (work) => looking.use({ ...limit, timeoutMs: LOOK_WITHIN_MS }, work),
  };
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
