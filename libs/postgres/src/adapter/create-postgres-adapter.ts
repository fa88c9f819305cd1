import {
  isDoctorError,
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
import type { PostgresRequest } from '../postgres-request.ts';
import { Admission } from './admission.ts';
import { contextFrom } from './connect.ts';
import { HeldSession } from './held-session.ts';
import { createActing } from './acting.ts';
import { performRequest } from './perform.ts';
import { createPoolers, type Poolers } from './poolers.ts';
import { probeMaintenance } from './probe-maintenance.ts';
import { probeAct } from './probe.ts';
import { probePoolerAct } from './probe-pooler-act.ts';
import { rowsFrom } from './rows-from.ts';

/**
 * All that touches one PostgreSQL server: one held session for looking and, with an acting credential, one for acting.
 * Nothing is opened before the first greeting.
 */
export function createPostgresAdapter(
  config: PostgresConfig,
  clock: Clock = systemClock,
): Adapter<PostgresRequest, PostgresAct> {
  const { diagnosing, acting = diagnosing } = config;
  const admission = new Admission(clock, contextFrom(config, diagnosing.user).database);
  const looking = new HeldSession({
    config,
    credential: diagnosing,
    clock,
    onFailedConnect: (error) => admission.remember(error, diagnosing.user),
  });
  const poolers = createPoolers(config, clock);
  const acts = createActing(config, clock, { looking, poolers }, (error) =>
    admission.remember(error, acting.user),
  );
  const greetServer = async (limit: Limit) => {
    const { usableSlots, ...greeting } = await greet(looking, limit);
    admission.letIn(usableSlots);
    acts.hold(limit);
    return greeting;
  };
  const mayLook = (error: DoctorError, left: Limit) =>
    admission.turnedAway(error, diagnosing.user) || poolers.anyAnswers(left);
  const probe = (act: PostgresAct, operationId: string, limit: Limit) => {
    if (isPoolerAct(act)) return probePoolerAct(act, poolers.consoles, limit);
    return isMaintenanceAct(act)
      ? probeMaintenance(act, operationId, looking, limit)
      : probeAct(act, looking, limit);
  };
  return {
    queues: true,
    greet: createGreeter(greetServer, poolers, mayLook, clock),
    perform: (request, limit) => performRequest(request, { looking, admission, poolers }, limit),
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
 * A server that turns us away for want of room has answered: that is a finding, and its checks say what could not be seen.
 * Where it does not answer and the console of a pooler does, the sweep goes on over that. Each look at the server then
 * says its own reason. The version is that of the last greeting; our clock stands in for the server's.
 */
function createGreeter(
  greetServer: (limit: Limit) => Promise<Greeting>,
  poolers: Poolers,
  mayLook: (error: DoctorError, left: Limit) => boolean | Promise<boolean>,
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
      if (!isDoctorError(thrown) || !(await mayLook(thrown, left))) throw thrown;
      return { version, now: clock.now() };
    }
  };
}

async function greet(
  session: HeldSession,
  limit: Limit,
): Promise<Greeting & { readonly usableSlots: number }> {
  const { rows } = await session.use(limit, (client) =>
    rowsFrom(
      client,
      `SELECT current_setting('server_version') AS version, extract(epoch FROM clock_timestamp())::float8 * 1000 AS now_ms,
              current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
                - coalesce(current_setting('reserved_connections', true), '0')::int AS usable`,
      limit,
    ),
  );
  const row = rows[0] ?? {};
  return {
    version: String(row['version']),
    now: new Date(Number(row['now_ms'])),
    usableSlots: Math.max(0, Number(row['usable'])),
  };
}
