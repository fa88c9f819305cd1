import { DoctorError, isDoctorError, type Clock, type Limit } from '@starr/kernel';
import type { Client } from 'pg';
import type { PostgresConfig, PostgresCredential } from '../postgres-config.ts';
import { answeredWithin, isSilence } from './answered-within.ts';
import { close, connect, contextFrom, discard } from './connect.ts';
import { doctorErrorFromPg, stateOf, type PgErrorContext } from './pg-error.ts';

/** How long the client waits beyond the server's own timeout before it takes the server for stopped. */
const GRACE_MS = 150;
/** A failure counts for all who were queued; nobody hammers a server that just turned us away. */
const SHARED_FAILURE_MS = 250;

export interface HeldSessionOptions {
  readonly config: PostgresConfig;
  readonly credential: PostgresCredential;
  readonly clock: Clock;
  /** Told of every connect that failed. */
  onFailedConnect(error: DoctorError): void;
}

type Work<T> = (client: Client) => Promise<T>;

/**
 * One session of one credential, opened at the first use and held, since it still answers when the slots are gone.
 * Uses are one at a time, in order, and for looks only: a look is repeated once when the held session turns out dead.
 */
export class HeldSession {
  readonly #options: HeldSessionOptions;
  readonly #context: PgErrorContext;
  #client: Client | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  #failure: { readonly error: DoctorError; readonly atMs: number } | undefined;

  constructor(options: HeldSessionOptions) {
    this.#options = options;
    this.#context = contextFrom(options.config, options.credential.user);
  }

  get isHeld(): boolean {
    return this.#client !== undefined;
  }

  /** `work` must not outlast `limit.timeoutMs` at the server. Fails with DoctorError. */
  use<T>(limit: Limit, work: Work<T>): Promise<T> {
    const mine = this.#tail.then(() => this.#turn(limit, work));
    this.#tail = mine.catch(() => undefined);
    return unlessAborted(mine, limit.signal);
  }

  /** Gives the slot up, until the next use, after those who are queued. */
  async release(): Promise<void> {
    const end = this.#tail.then(async () => {
      const last = this.#client;
      this.#client = undefined;
      if (last !== undefined) await close(last);
    });
    this.#tail = end.catch(() => undefined);
    await this.#tail;
  }

  async #turn<T>(limit: Limit, work: Work<T>): Promise<T> {
    if (limit.signal.aborted) throw new DoctorError('WIRE_CANCELLED');
    const wasHeld = this.isHeld;
    try {
      return await this.#attempt(limit, work);
    } catch (thrown) {
      const error = doctorErrorFromPg(thrown, this.#context);
      if (!wasHeld || error.code !== 'TARGET_UNREACHABLE') throw error;
      return this.#attempt(limit, work);
    }
  }

  async #attempt<T>(limit: Limit, work: Work<T>): Promise<T> {
    const client = this.#client ?? (await this.#open(limit));
    try {
      return await answeredWithin(work(client), limit.timeoutMs + GRACE_MS);
    } catch (thrown) {
      const error = doctorErrorFromPg(thrown, this.#context);
      if (isSessionLost(error, thrown)) this.#drop(client);
      if (isSilence(error)) this.#remember(error);
      throw error;
    }
  }

  async #open(limit: Limit): Promise<Client> {
    const { config, credential, clock } = this.#options;
    const failure = this.#failure;
    if (failure !== undefined && clock.monotonicMs() - failure.atMs < SHARED_FAILURE_MS) {
      throw failure.error;
    }
    limit.spend('connections', 1);
    try {
      const client = await connect(config, credential, limit.timeoutMs);
      client.once('end', () => {
        this.#drop(client);
      });
      this.#client = client;
      return client;
    } catch (thrown) {
      const error = doctorErrorFromPg(thrown, this.#context);
      this.#remember(error);
      this.#options.onFailedConnect(error);
      throw error;
    }
  }

  #remember(error: DoctorError): void {
    this.#failure = { error, atMs: this.#options.clock.monotonicMs() };
  }

  #drop(client: Client): void {
    discard(client);
    if (this.#client === client) this.#client = undefined;
  }
}

function isSessionLost(error: DoctorError, thrown: unknown): boolean {
  if (error.code === 'TARGET_UNREACHABLE') return true;
  if (isSilence(error)) return true;
  // A driver error without a SQLSTATE says nothing about the state of the session: do not trust it again.
  return !isDoctorError(thrown) && stateOf(thrown) === undefined;
}

/** Nobody waits any more: the statement ends by its server-side timeout, and the queue goes on behind it. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      reject(new DoctorError('WIRE_CANCELLED'));
    };
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
