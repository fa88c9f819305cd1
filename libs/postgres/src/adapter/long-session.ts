import { DoctorError } from '@starr/kernel';
import type { Client } from 'pg';
import type { PostgresConfig, PostgresCredential } from '../postgres-config.ts';
import { answeredWithin } from './answered-within.ts';
import { connect, discard } from './connect.ts';

const CONNECT_WITHIN_MS = 3000;
const ANSWER_WITHIN_MS = 4000;
/** With the held one, the acting credential never has more sessions than one beyond this at a time. */
const MOST_LONG_SESSIONS = 1;

/**
 * Sessions for acts that last: each its own, so that the held one stays free for what is urgent, and never more than
 * {@link MOST_LONG_SESSIONS}. Not through a pooler that shares sessions: what is set here must hold for the act.
 */
export class LongSessions {
  readonly #config: PostgresConfig;
  readonly #credential: PostgresCredential;
  #count = 0;

  constructor(config: PostgresConfig, credential: PostgresCredential) {
    this.#config = config;
    this.#credential = credential;
  }

  async open(lockTimeoutMs: number): Promise<Client> {
    if (this.#count >= MOST_LONG_SESSIONS)
      throw new DoctorError('REMEDY_BUSY', {
        message: `${this.#count} long act is in progress on this server, and no more at a time`,
      });
    this.#count += 1;
    let client: Client | undefined;
    try {
      client = await connect(this.#config, this.#credential, CONNECT_WITHIN_MS);
      await answeredWithin(prepare(client, lockTimeoutMs), ANSWER_WITHIN_MS);
      return client;
    } catch (thrown) {
      this.#count -= 1;
      if (client !== undefined) discard(client);
      throw thrown;
    }
  }

  close(client: Client): void {
    this.#count -= 1;
    discard(client);
  }
}

/** The act may take hours, but waits for nobody longer than it was planned to, and goes on when we die. */
async function prepare(client: Client, lockTimeoutMs: number): Promise<void> {
  const settings = {
    statement_timeout: '0',
    idle_session_timeout: '0',
    transaction_timeout: '0',
    lock_timeout: String(lockTimeoutMs),
    search_path: 'pg_catalog',
    client_min_messages: 'warning',
    // Otherwise the server may cancel a build whose client has died, and leave an invalid index.
    client_connection_check_interval: '0',
  };
  const pidBefore = await pidOf(client);
  for (const [name, value] of Object.entries(settings)) {
    // Not every version knows each of them.
    await client.query(
      `SELECT pg_catalog.set_config($1, $2, false) WHERE pg_catalog.current_setting($1, true) IS NOT NULL`,
      [name, value],
    );
  }
  const { rows } = await client.query<{ pid: number; lock_timeout: string }>(
    `SELECT pg_catalog.pg_backend_pid() AS pid, (pg_catalog.current_setting('lock_timeout') <> '0')::text AS lock_timeout`,
  );
  if (rows[0]?.pid !== pidBefore || rows[0].lock_timeout !== 'true')
    throw new DoctorError('TARGET_UNSUPPORTED', {
      message:
        'a pooler stands before this server and gives each statement another session; what lasts needs one of its own',
      details: { cure: 'Configure the server’s own address for this target.' },
    });
}

export async function pidOf(client: Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_catalog.pg_backend_pid() AS pid');
  return rows[0]?.pid ?? 0;
}
