import type { Clock, Limit } from '@starr/kernel';
import type { Client } from 'pg';
import type { PoolerConfig } from '../postgres-config.ts';
import type { ConsoleRow } from '../pooler-request.ts';
import { answeredWithin } from './answered-within.ts';
import { close, connect } from './connect.ts';
import { HeldSession } from './held-session.ts';
import { doctorErrorFromPooler } from './pooler-error.ts';
import { consoleConfig } from './pooler-place.ts';

const CONNECT_WITHIN_MS = 2000;

/**
 * The admin console of one pooler: one held session for looking, and a short one of the acting user for an act. The
 * console takes sessions when all its clients are taken (max_client_conn), and needs no slot of the server.
 */
export class PoolerConsole {
  readonly config: PoolerConfig;
  readonly #looking: HeldSession;

  constructor(config: PoolerConfig, clock: Clock) {
    this.config = config;
    this.#looking = new HeldSession({
      config: consoleConfig(config),
      credential: config.diagnosing,
      clock,
      onFailedConnect: () => undefined,
    });
  }

  /** Commands that only show something, one after another with nothing in between. Fails with DoctorError. */
  async look(commands: readonly string[], limit: Limit): Promise<readonly ConsoleRow[][]> {
    const asked = { ...limit, spend: spendElsewhere(limit) };
    asked.spend('queries', commands.length);
    try {
      return await this.#looking.use(asked, async (client) => {
        const answers: ConsoleRow[][] = [];
        for (const command of commands) answers.push(await rowsOf(client, command));
        return answers;
      });
    } catch (thrown) {
      throw doctorErrorFromPooler(thrown, this.config, this.config.diagnosing.user);
    }
  }

  /** A session of the acting user, for one act. Fails with DoctorError; undefined: none is configured. */
  async openActing(limit: Limit): Promise<ActingConsole | undefined> {
    const { acting } = this.config;
    if (acting === undefined) return undefined;
    spendElsewhere(limit)('connections', 1);
    try {
      const client = await connect(consoleConfig(this.config), acting, CONNECT_WITHIN_MS);
      return {
        command: (command, withinMs) => answeredWithin(rowsOf(client, command), withinMs),
        close: () => close(client),
      };
    } catch (thrown) {
      throw doctorErrorFromPooler(thrown, this.config, acting.user);
    }
  }

  close(): Promise<void> {
    return this.#looking.release();
  }
}

/** What one act says on the console. */
export interface ActingConsole {
  /** Rejects with what the console threw, or EVIDENCE_TIMEOUT when it says nothing for so long. */
  command(command: string, withinMs: number): Promise<ConsoleRow[]>;
  close(): Promise<void>;
}

/** Without values: the console speaks the simple protocol alone, and answers 08P01 to the extended one. */
async function rowsOf(client: Client, command: string): Promise<ConsoleRow[]> {
  return (await client.query<ConsoleRow>(command)).rows;
}

/** The footprint on the pooler is none on the server. */
function spendElsewhere(limit: Limit): Limit['spend'] {
  return (what, amount) => {
    limit.spend(what === 'connections' ? 'poolerConnections' : 'poolerCommands', amount);
  };
}
