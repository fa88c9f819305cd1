import {
  systemClock,
  type Adapter,
  type Clock,
  type DoctorError,
  type Greeting,
  type Limit,
} from '@starr/kernel';
import { isMaintenanceAct } from '../acts/maintenance.ts';
import { isPoolerAct } from '../acts/pooler.ts';
import type { PostgresAct } from '../postgres-act.ts';
import type { PostgresConfig } from '../postgres-config.ts';
import type { PostgresRequest, Refusal } from '../postgres-request.ts';
import { stateOf, textOf } from './pg-error.ts';
import { refusedByFromText } from './decode-refusal.ts';
import { HeldSession } from './held-session.ts';
import { createActing } from './acting.ts';
import { performRequest } from './perform.ts';
import { createPoolers, type Poolers } from './poolers.ts';
import { probeMaintenance } from './probe-maintenance.ts';
import { probeAct } from './probe.ts';
import { probePoolerAct } from './probe-pooler-act.ts';
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
  const poolers = createPoolers(config, clock);
  const acts = createActing(config, clock, { looking, poolers }, remember);
  const greetServer = async (limit: Limit) => {
    const greeting = await greet(looking, limit);
    acts.hold(limit);
    return greeting;
  };
  const probe = (act: PostgresAct, operationId: string, limit: Limit) => {
    if (isPoolerAct(act)) return probePoolerAct(act, poolers.consoles, limit);
    return isMaintenanceAct(act)
      ? probeMaintenance(act, operationId, looking, limit)
      : probeAct(act, looking, limit);
  };
  return {
    queues: true,
    greet: createGreeter(greetServer, poolers, clock),
    perform: (request, limit) =>
      performRequest(request, looking, { refusals: () => refusals, poolers }, limit),
    apply: (act, operationId, limit) => acts.apply(act, operationId, limit),
    probe: (act, operationId, limit) =>
      acts.isRunning(operationId)
        ? Promise.resolve({ state: 'running', says: 'it is in progress' })
        : probe(act, operationId, limit),
    cancel: (operationId) => acts.cancel(operationId),
    close: async () => {
      acts.close();
      await Promise.all([looking.release(), poolers.close()]);
    },
  };
}

/** A server that does not let us in leaves something of the time for the consoles of its poolers. */
const SHARE_OF_THE_SERVER = 0.75;

/**
 * Where the server lets nobody in and the console of a pooler answers, the sweep goes on over that: each look at the
 * server then says its own reason. The version is that of the last greeting; our clock stands in for the server's.
 */
function createGreeter(
  greetServer: (limit: Limit) => Promise<Greeting>,
  poolers: Poolers,
  clock: Clock,
): (limit: Limit) => Promise<Greeting> {
  let version = '';
  return async (limit) => {
    const timeoutMs =
      poolers.consoles.length === 0
        ? limit.timeoutMs
        : Math.ceil(limit.timeoutMs * SHARE_OF_THE_SERVER);
    try {
      const greeting = await greetServer({ ...limit, timeoutMs });
      version = greeting.version;
      return greeting;
    } catch (thrown) {
      const left = { ...limit, timeoutMs: limit.timeoutMs - timeoutMs };
      if (poolers.consoles.length === 0 || !(await poolers.anyAnswers(left))) throw thrown;
      return { version, now: clock.now() };
    }
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
