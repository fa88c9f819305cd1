import { DoctorError, type Limit, type Probed } from '@starr/kernel';
import type { PausePoolerAct, PoolerAct, ResumePoolerAct, SetPoolSizeAct } from '../acts/pooler.ts';
import type { ConsoleRow } from '../pooler-request.ts';
import type { PoolerConsole } from './pooler-console.ts';
import { busyServers, databaseFacts, defaultPoolSize } from './pooler-facts.ts';

interface Seen {
  readonly config: readonly ConsoleRow[];
  readonly databases: readonly ConsoleRow[];
  readonly pools: readonly ConsoleRow[];
}

/** Whether an act took place, by the pooler's own word. Never acts. Fails with DoctorError where it does not answer. */
export async function probePoolerAct(
  act: PoolerAct,
  consoles: readonly PoolerConsole[],
  limit: Limit,
): Promise<Probed> {
  const console = consoles.find(({ config }) => config.name === act.pooler);
  if (console === undefined)
    throw new DoctorError('TARGET_UNKNOWN', { message: `no pooler ${act.pooler} is configured` });
  const commands = ['SHOW CONFIG', 'SHOW DATABASES', 'SHOW POOLS'];
  const [config = [], databases = [], pools = []] = await console.look(commands, limit);
  const seen = { config, databases, pools };
  switch (act.kind) {
    case 'set-pool-size':
      return probeSize(act, seen);
    case 'pause-pooler':
      return probePause(act, seen);
    case 'resume-pooler':
      return probeResume(act, seen);
  }
}

function probeSize({ from, to }: SetPoolSizeAct, { config }: Seen): Probed {
  const size = defaultPoolSize(config);
  if (size === to)
    return { state: 'applied', before: { defaultPoolSize: from }, after: { defaultPoolSize: to } };
  return size === from
    ? { state: 'not-applied', says: `default_pool_size is ${from} still` }
    : {
        state: 'indeterminate',
        says: `default_pool_size is ${size}: somebody else has set it since`,
      };
}

/** A pause that outlived its doctor goes on by itself. */
function probePause({ database }: PausePoolerAct, { databases, pools }: Seen): Probed {
  if (databaseFacts(databases, database)?.paused !== true)
    return { state: 'not-applied', says: `${database} is not paused` };
  const busy = busyServers(pools, database);
  return busy > 0
    ? { state: 'running', says: `waits for ${busy} connections to become free` }
    : { state: 'applied', before: { paused: false }, after: { paused: true } };
}

function probeResume({ database }: ResumePoolerAct, { databases }: Seen): Probed {
  return databaseFacts(databases, database)?.paused === true
    ? { state: 'not-applied', says: `${database} is paused still` }
    : { state: 'applied', before: { paused: true }, after: { paused: false } };
}
