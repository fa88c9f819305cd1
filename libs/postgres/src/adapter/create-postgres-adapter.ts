import {
  systemClock,
  type Adapter,
  type Clock,
  type DoctorError,
  type Greeting,
  type Limit,
} from '@starr/kernel';
import type { PostgresAct } from '../postgres-act.ts';
import type { PostgresConfig } from '../postgres-config.ts';
import type { PostgresRequest, Refusal } from '../postgres-request.ts';
import { stateOf, textOf } from './pg-error.ts';
import { refusedByFromText } from './decode-refusal.ts';
import { HeldSession } from './held-session.ts';
import { createActing } from './acting.ts';
import { performRequest } from './perform.ts';
import { probeAct } from './probe.ts';
import { rowsFrom } from './rows-from.ts';

/** Refusals are evidence for a while, not for ever. */
const REFUSALS_KEPT = 100;

/**
 * All that touches one PostgreSQL server: one held session for looking and, with an acting credential, one for acting.
 * Nothing is opened before the first greeting.
 */
export function createPostgresAdapter(
  config: PostgresConfig,
  clock: Clock = systemClock,
): Adapter<PostgresRequest, PostgresAct> {
  const refusals: Refusal[] = [];
  const remember = (error: DoctorError) => {
    if (stateOf(error.cause) !== '53300') return;
    refusals.push({ by: refusedByFromText(textOf(error.cause)), at: clock.now() });
    if (refusals.length > REFUSALS_KEPT) refusals.shift();
  };
  const looking = new HeldSession({
    config,
    credential: config.diagnosing,
    clock,
    onFailedConnect: remember,
  });
  const acts = createActing(config, clock, looking, remember);
  return {
    greet: async (limit) => {
      const greeting = await greet(looking, limit);
      acts.hold(limit);
      return greeting;
    },
    perform: (request, limit) => performRequest(request, looking, () => refusals, limit),
    apply: (act, operationId, limit) => acts.apply(act, operationId, limit),
    probe: (act, operationId, limit) =>
      acts.isRunning(operationId)
        ? Promise.resolve({ state: 'running', says: 'sessions are being ended' })
        : probeAct(act, looking, limit),
    cancel: (operationId) => acts.cancel(operationId),
    close: () => {
      acts.close();
      return looking.release();
    },
  };
}

async function greet(session: HeldSession, limit: Limit): Promise<Greeting> {
  const { rows } = await session.use(limit, (client) =>
    rowsFrom(
      client,
      `SELECT current_setting('server_version') AS version, extract(epoch FROM clock_timestamp())::float8 * 1000 AS now_ms`,
      limit,
    ),
  );
  const row = rows[0] ?? {};
  return { version: String(row['version']), now: new Date(Number(row['now_ms'])) };
}
