import { checkCount } from './check-option.ts';
import type { PoolLike } from './pool-like.ts';
import { PolicyError } from './policy-error.ts';
import { retuneSettings } from './retune-settings.ts';
import type { Retuned } from './retuned.ts';

export interface PoolSettings {
  /** Connections that stay open although nobody uses them. */
  readonly min: number;
  readonly max: number;
}

type Release = (destroy?: Error | boolean) => void;
type Taken = (error: Error | undefined, client?: unknown, release?: unknown) => void;
/** A pool's own `connect`, in the two forms that pg has. */
export type Connect = (taken?: Taken) => Promise<unknown> | undefined;

const pgDefaultMax = 10;

/**
 * The size of a living pg.Pool. The pool reads its `min` and `max` at each look but does not act on a change: it
 * gives waiting callers no new connection before one comes back, and keeps what it has beyond a smaller `max` as long
 * as somebody waits. This does both, with the pool's public methods alone.
 */
export class PoolSize {
  readonly #name: string;
  readonly #pool: PoolLike;
  readonly #connect: Connect;

  /** `connect`: the pool's own, whose callers are not those of the application. */
  constructor(name: string, pool: PoolLike, connect: Connect) {
    this.#name = name;
    this.#pool = pool;
    this.#connect = connect;
  }

  get settings(): PoolSettings {
    const { min = 0, max = pgDefaultMax } = this.#pool.options;
    return { min, max };
  }

  retune(change: Partial<PoolSettings>): Retuned<PoolSettings> {
    return retuneSettings(this.settings, change, (wanted) => {
      const { min, max } = parseSettings(this.#name, wanted);
      this.#pool.options.min = min;
      this.#pool.options.max = max;
      const { totalCount, idleCount, waitingCount } = this.#pool;
      const surplus = Math.min(idleCount, totalCount - max);
      const more = Math.min(Math.max(waitingCount, min - totalCount), max - totalCount);
      // each of these takes a connection and gives it back: to a caller that waits, to the idle ones, or to nobody
      if (surplus > 0) this.#pass(surplus);
      // an idle connection is taken before a new one is opened
      else if (more > 0) this.#pass(idleCount + more);
      return { min, max };
    });
  }

  /**
   * Makes the client's release close it while the pool is over its limit; the pool itself would give it to the next
   * caller, and never get smaller under load. Absent: it is nothing that can be released.
   */
  releaseOf(client: unknown): Release | undefined {
    if (!isReleasable(client)) return undefined;
    const { release } = client;
    const guarded: Release = (destroy) => {
      release(destroy ?? (this.#isOverLimit() ? true : undefined));
    };
    client.release = guarded;
    return guarded;
  }

  #pass(connections: number): void {
    for (let connection = 0; connection < connections; connection++) {
      this.#connect()?.then(
        (client) => this.releaseOf(client)?.(),
        () => {
          // the callers that wait hear of the same fault
        },
      );
    }
  }

  #isOverLimit(): boolean {
    return this.#pool.totalCount > this.settings.max;
  }
}

function isReleasable(client: unknown): client is { release: Release } {
  return (
    typeof client === 'object' &&
    client !== null &&
    'release' in client &&
    typeof client.release === 'function'
  );
}

function parseSettings(name: string, { min, max }: PoolSettings): PoolSettings {
  checkCount(name, 'max', max);
  checkCount(name, 'min', min, Number.MAX_SAFE_INTEGER, 0);
  if (min > max) {
    throw new PolicyError(
      'invalid-option',
      name,
      `${name}: min is ${min}; allowed: up to max, ${max}`,
    );
  }
  return { min, max };
}
