import { monotonicClock, type Clock } from './clock.ts';
import type { WatchedPoolSnapshot } from './flow-snapshots.ts';
import { PoolSize, type Connect, type PoolSettings } from './pool-size.ts';
import type { Retuned, Touch } from './retuned.ts';
import type { PoolServer } from './snapshots.ts';
import type { PoolLike, PoolLikeOptions } from './pool-like.ts';
import { WaitMinute } from './wait-minute.ts';
import { Touches } from './touches.ts';

export type { PoolLike, PoolLikeOptions };

export interface WatchPoolOptions {
  /** Absent: read from the pool's own options, where they name a host. */
  readonly connectsTo?: PoolServer;
  readonly clock?: Clock;
}

/**
 * Shows a pool. It stays the same object with the same behaviour; only its `connect` (through which its `query`
 * goes too) is timed, and its events tell which connections are out.
 */
export class WatchedPool {
  readonly kind = 'pool';
  readonly name: string;
  readonly #pool: PoolLike;
  readonly #connectsTo: PoolServer | undefined;
  readonly #clock: Clock;
  readonly #minute = new WaitMinute();
  // Both keep the order of insertion, so that the first one is the oldest.
  readonly #waits = new Set<{ readonly since: number }>();
  readonly #held = new Map<object, number>();
  readonly #size: PoolSize;
  readonly #touches: Touches;

  constructor(name: string, pool: PoolLike, options: WatchPoolOptions = {}) {
    this.name = name;
    this.#pool = pool;
    this.#connectsTo = options.connectsTo ?? serverOfPool(pool.options);
    this.#clock = options.clock ?? monotonicClock;
    this.#touches = new Touches(this.#clock);
    pool.on('acquire', (client) => this.#held.set(client, this.#clock.nowMs()));
    pool.on('release', (_error, client) => this.#held.delete(client));
    pool.on('remove', (client) => this.#held.delete(client));
    this.#size = new PoolSize(name, pool, pool.connect.bind(pool) as unknown as Connect);
    this.#timeConnect();
  }

  get settings(): PoolSettings {
    return this.#size.settings;
  }

  /**
   * Changes min and max of the living pool and returns at once. More: as many waiting callers as there is room for
   * get new connections, and the pool is filled up to min. Fewer: idle connections beyond max are closed now, used
   * ones when they are released (see `overLimit`); no query is interrupted.
   */
  retune(change: Partial<PoolSettings>, touch?: Touch): Retuned<PoolSettings> {
    return this.#touches.noteRetune(this.#size.retune(change), touch);
  }

  snapshot(): WatchedPoolSnapshot {
    const nowMs = this.#clock.nowMs();
    const { min, max } = this.#size.settings;
    const { totalCount, idleCount } = this.#pool;
    const oldestWait = this.#waits.values().next();
    const oldestHeld = this.#held.values().next();
    return {
      kind: 'pool',
      name: this.name,
      ...(this.#connectsTo && { connectsTo: this.#connectsTo }),
      size: totalCount,
      idle: idleCount,
      waiting: this.#pool.waitingCount,
      max,
      oldestWaitMs: oldestWait.done ? 0 : nowMs - oldestWait.value.since,
      oldestHeldMs: oldestHeld.done ? 0 : nowMs - oldestHeld.value,
      lastMinute: this.#minute.read(nowMs),
      min,
      overLimit: Math.max(0, totalCount - max),
      utilisation: (totalCount - idleCount) / max,
      ...this.#touches.show(),
    };
  }

  #timeConnect(): void {
    const connect = this.#pool.connect.bind(this.#pool) as unknown as Connect;
    const timed: Connect = (taken) => {
      const ended = this.#beginWait();
      if (taken) {
        return connect((error, client, release) => {
          ended(error ? 'failed' : 'acquired');
          taken(error, client, this.#size.releaseOf(client) ?? release);
        });
      }
      const connecting = connect();
      connecting?.then(
        (client) => {
          ended('acquired');
          this.#size.releaseOf(client);
        },
        () => {
          ended('failed');
        },
      );
      return connecting;
    };
    this.#pool.connect = timed;
  }

  #beginWait(): (outcome: 'acquired' | 'failed') => void {
    const wait = { since: this.#clock.nowMs() };
    this.#waits.add(wait);
    return (outcome) => {
      const nowMs = this.#clock.nowMs();
      this.#waits.delete(wait);
      this.#minute.record(outcome, nowMs - wait.since, nowMs);
    };
  }
}

const pgDefaultPort = 5432;

function serverOfPool(options: PoolLikeOptions): PoolServer | undefined {
  if (options.connectionString !== undefined) return serverOfUrl(options.connectionString);
  // a path is a local socket: no address that anybody else could know
  if (options.host === undefined || options.host.startsWith('/')) return undefined;
  return {
    host: options.host,
    port: options.port ?? pgDefaultPort,
    ...(options.database !== undefined && { database: options.database }),
  };
}

function serverOfUrl(connectionString: string): PoolServer | undefined {
  if (!URL.canParse(connectionString)) return undefined;
  const url = new URL(connectionString);
  if (url.hostname === '') return undefined;
  const database = decodeURIComponent(url.pathname.slice(1));
  return {
    host: url.hostname,
    port: url.port === '' ? pgDefaultPort : Number(url.port),
    ...(database !== '' && { database }),
  };
}
