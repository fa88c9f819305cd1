import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { FaultSwitch } from '../faults.ts';
import { type Log, errorFields } from '../log.ts';

const SESSION_TTL_S = 600;

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

  /** The bug of `cache-fill`: the key names the request, so it is never read again, and it never ends. */
  async #keepRecommendations(): Promise<void> {
    const sizeKib = this.#faults.amount('cache-fill');
    if (sizeKib === undefined) return;
    try {
      await this.#redis.set(`recommendations:${randomUUID()}`, 'r'.repeat(sizeKib * 1024));
    } catch (error) {
      this.#log.warn('recommendations not kept', errorFields(error));
    }
  }
}
