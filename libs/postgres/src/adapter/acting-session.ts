import { isDoctorError, type Clock, type DoctorError, type Limit } from '@starr/kernel';
import type { Client } from 'pg';
import type { PostgresConfig, PostgresCredential } from '../postgres-config.ts';
import { answeredWithin } from './answered-within.ts';
import { connect, discard } from './connect.ts';
import type { HeldSession } from './held-session.ts';
import { stateOf } from './pg-error.ts';

/** How often a slot that was just given up is tried for: others may be faster. */
const LENT_SLOT_ATTEMPTS = 5;
const LENT_SLOT_PAUSE_MS = 100;
const CONNECT_WITHIN_MS = 3000;
/** A held session that does not answer a trivial question so soon is not trusted with an act. */
const ALIVE_WITHIN_MS = 1000;

export interface ActingSessionOptions {
  readonly config: PostgresConfig;
  readonly credential: PostgresCredential;
  readonly clock: Clock;
  /** Whose slot is lent when no other is left. */
  readonly looking: HeldSession;
  onRefused(error: DoctorError): void;
}

/**
 * The session of the acting credential. It is opened at the first contact and held idle: when it is wanted the server
 * is full, and whoever leaks connections takes every slot that becomes free before we can.
 */
export class ActingSession {
  readonly #options: ActingSessionOptions;
  #held: Client | undefined;
  #isOpening = false;
  #inUse = 0;
  #isClosed = false;

  constructor(options: ActingSessionOptions) {
    this.#options = options;
  }

  /** Opens the session unless it is there, in use or on its way. Nobody waits for it; failing, it is tried again later. */
  hold(limit: Limit): void {
    if (this.#held !== undefined || this.#isOpening || this.#inUse > 0 || this.#isClosed) return;
    this.#isOpening = true;
    limit.spend('connections', 1);
    this.#connect(CONNECT_WITHIN_MS)
      .then(
        (client) => {
          this.#keep(client);
        },
        (thrown: unknown) => {
          this.#rememberRefusal(thrown);
        },
      )
      .finally(() => {
        this.#isOpening = false;
      });
  }

  /** For one act: the held session if it still answers, else a new one, if need be in place of the one that looks. */
  async take(limit: Limit): Promise<Client> {
    const held = this.#held;
    this.#held = undefined;
    this.#inUse += 1;
    try {
      if (held !== undefined && (await isAlive(held))) return held;
      if (held !== undefined) discard(held);
      return await this.#openNew(limit);
    } catch (thrown) {
      this.#inUse -= 1;
      throw thrown;
    }
  }

  /** After an act. A session whose answer was lost is in an unknown state, and is not kept. */
  giveBack(client: Client, isFit: boolean): void {
    this.#inUse -= 1;
    if (isFit) this.#keep(client);
    else discard(client);
  }

  close(): void {
    this.#isClosed = true;
    if (this.#held !== undefined) discard(this.#held);
    this.#held = undefined;
  }

  #keep(client: Client): void {
    if (this.#isClosed || this.#held !== undefined) {
      discard(client);
      return;
    }
    this.#held = client;
  }

  /** The diagnosing session is given up and opened again by the next look. Servers before 16 have no other way in. */
  async #openNew(limit: Limit): Promise<Client> {
    const { clock, looking } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      limit.spend('connections', 1);
      try {
        return await this.#connect(CONNECT_WITHIN_MS);
      } catch (thrown) {
        const mayLend = attempt === 0 ? looking.isHeld : attempt < LENT_SLOT_ATTEMPTS;
        if (!this.#rememberRefusal(thrown) || !mayLend) throw thrown;
        if (attempt === 0) await looking.release();
        await clock.sleep(LENT_SLOT_PAUSE_MS);
      }
    }
  }

  async #connect(withinMs: number): Promise<Client> {
    const client = await connect(this.#options.config, this.#options.credential, withinMs);
    client.once('end', () => {
      if (this.#held === client) this.#held = undefined;
    });
    return client;
  }

  #rememberRefusal(thrown: unknown): boolean {
    if (!isDoctorError(thrown) || stateOf(thrown.cause) !== '53300') return false;
    this.#options.onRefused(thrown);
    return true;
  }
}

async function isAlive(client: Client): Promise<boolean> {
  try {
    await answeredWithin(client.query('SELECT'), ALIVE_WITHIN_MS);
    return true;
  } catch {
    return false;
  }
}
