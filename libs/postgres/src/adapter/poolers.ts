import { blindFromError, isBlindSpot, type BlindSpot, type Clock, type Limit } from '@starr/kernel';
import type { PoolerConfig, PostgresConfig } from '../postgres-config.ts';
import type {
  PooledLook,
  PooledSessionsAnswer,
  PoolerAnswer,
  PoolerRequest,
  PoolersAnswer,
  PoolerUsers,
} from '../pooler-request.ts';
import type { RowsAnswer } from '../postgres-request.ts';
import { contextFrom } from './connect.ts';
import { PoolerConsole } from './pooler-console.ts';
import { DEFAULT_POOLER_PORT } from './pooler-place.ts';

/** The poolers before one server. */
export interface Poolers {
  readonly consoles: readonly PoolerConsole[];
  perform(
    request: PoolerRequest,
    backends: (sql: string) => Promise<RowsAnswer>,
    limit: Limit,
  ): Promise<unknown>;
  /** Whether any of them answers: then there is something to look at though the server lets nobody in. */
  anyAnswers(limit: Limit): Promise<boolean>;
  close(): Promise<void>;
}

export function createPoolers(config: PostgresConfig, clock: Clock): Poolers {
  const consoles = (config.poolers ?? []).map((pooler) => new PoolerConsole(pooler, clock));
  return {
    consoles,
    perform: (request, backends, limit) => {
      switch (request.kind) {
        case 'poolers':
          return lookAtPools(config, consoles, limit);
        case 'pooled-sessions':
          return lookAtSessions(consoles, request.sql, backends, limit);
      }
    },
    anyAnswers: async (limit) => {
      const answers = await Promise.allSettled(
        consoles.map((console) => console.look(['SHOW VERSION'], limit)),
      );
      return answers.some(({ status }) => status === 'fulfilled');
    },
    close: async () => {
      await Promise.all(consoles.map((console) => console.close()));
    },
  };
}

async function lookAtPools(
  config: PostgresConfig,
  consoles: readonly PoolerConsole[],
  limit: Limit,
): Promise<PoolersAnswer> {
  const commands = ['SHOW VERSION', 'SHOW CONFIG', 'SHOW DATABASES', 'SHOW POOLS'];
  const { host, port } = contextFrom(config, config.diagnosing.user);
  return {
    server: { host, port },
    poolers: await Promise.all(
      consoles.map(async (console) => ({
        ...(await answerOf(console, commands, limit, (rows) => {
          const [version = [], settings = [], databases = [], pools = []] = rows;
          return { version, config: settings, databases, pools };
        })),
        place: { host: console.config.host, port: console.config.port ?? DEFAULT_POOLER_PORT },
        users: usersOf(console.config),
      })),
    ),
  };
}

function usersOf({ diagnosing, acting }: PoolerConfig): PoolerUsers {
  return { looks: diagnosing.user, ...(acting && { acts: acting.user }) };
}

async function lookAtSessions(
  consoles: readonly PoolerConsole[],
  sql: string,
  backends: (sql: string) => Promise<RowsAnswer>,
  limit: Limit,
): Promise<PooledSessionsAnswer> {
  const poolers = await Promise.all(
    consoles.map((console) =>
      answerOf(
        console,
        ['SHOW SERVERS', 'SHOW CLIENTS'],
        limit,
        ([servers = [], clients = []]): PooledLook => ({ servers, clients }),
      ),
    ),
  );
  const pids = poolers.flatMap((each) => (each.kind === 'seen' ? pidsOf(each.seen) : []));
  return {
    poolers,
    backends:
      pids.length === 0
        ? { rows: [], truncated: false }
        : await backends(sql.replace('{pids}', pids.join(', '))).catch(blindFromError),
  };
}

/** One pooler that does not answer does not hide the others. */
async function answerOf<T>(
  console: PoolerConsole,
  commands: readonly string[],
  limit: Limit,
  seenFrom: (rows: readonly (readonly Readonly<Record<string, unknown>>[])[]) => T,
): Promise<PoolerAnswer<T>> {
  const pooler = console.config.name;
  const rows = await console.look(commands, limit).catch((error: unknown): BlindSpot => {
    return blindFromError(error);
  });
  return isBlindSpot(rows)
    ? { pooler, kind: 'unseen', blind: rows }
    : { pooler, kind: 'seen', seen: seenFrom(rows) };
}

function pidsOf({ servers }: PooledLook): number[] {
  return servers
    .map(({ remote_pid: pid }) => Number(pid))
    .filter((pid) => Number.isInteger(pid) && pid > 0);
}
