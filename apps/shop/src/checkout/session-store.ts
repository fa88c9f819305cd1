import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { FaultSwitch } from '../faults.ts';
import { type Log, errorFields } from '../log.ts';

const SESSION_TTL_S = 600;
const RECOMMENDED = 8;

/** The customers' sessions, in Redis. A checkout cannot go on without one. */
export class SessionStore {
  readonly #redis: Redis;
  readonly #faults: FaultSwitch;
  readonly #log: Log;

  constructor(redis: Redis, faults: FaultSwitch, log: Log) {
    this.#redis = redis;
    this.#faults = faults;
    this.#log = log;
  }

  /** Reads the session and keeps it for ten more minutes; rejects when Redis takes no write. */
  async touch(customerId: number, cart: readonly unknown[]): Promise<void> {
    const key = `session:${customerId}`;
    await this.#redis.get(key);
    await this.#redis.set(key, JSON.stringify({ cart }), 'EX', SESSION_TTL_S);
    await this.#keepRecommendations();
  }

  /**
   * The bug of `cache-fill`: the keys name the request, so they are never read again, and they never
   * end. One big page and a few small entries: a full Redis refuses the big one first, and the small
   * ones take what is left, until there is no room for a session either.
   */
  async #keepRecommendations(): Promise<void> {
    const pageKib = this.#faults.amount('cache-fill');
    if (pageKib === undefined) return;
    const name = `recommendations:${randomUUID()}`;
    const sizesKib = [pageKib, ...Array.from({ length: RECOMMENDED }, () => 1)];
    const kept = await Promise.allSettled(
      sizesKib.map((kib, index) => this.#redis.set(`${name}:${index}`, 'r'.repeat(kib * 1024))),
    );
    const refused = kept.find((each) => each.status === 'rejected');
    if (refused !== undefined) {
      this.#log.warn('recommendations not kept', errorFields(refused.reason));
    }
  }
}
