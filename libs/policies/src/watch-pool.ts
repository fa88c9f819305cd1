import { monotonicClock, type Clock } from './clock.ts';
import type { PoolServer, PoolSnapshot } from './snapshots.ts';
import { WaitMinute } from './wait-minute.ts';

/** What of a pg.Pool is used; anything of that shape will do. */
export interface PoolLike {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
  readonly options: PoolLikeOptions;
  connect: (...args: never[]) => unknown;
  on(event: 'acquire' | 'remove', listener: (client: object) => void): unknown;
  on(event: 'release', listener: (error: Error, client: object) => void): unknown;
}

export interface PoolLikeOptions {
  readonly max?: number | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly database?: string | undefined;
  readonly connectionString?: string | undefined;
}

export interface WatchPoolOptions {
  /** Absent: read from the pool's own options, where they name a host. */
  readonly connectsTo?: PoolServer;
  readonly clock?: Clock;
}

type Taken = (error: Error | undefined, client?: unknown, release?: unknown) => void;
type Connect = (taken?: Taken) => Promise<unknown> | undefined;

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

  constructor(name: string, pool: PoolLike, options: WatchPoolOptions = {}) {
    this.name = name;
    this.#pool = pool;
    this.#connectsTo = options.connectsTo ?? serverOfPool(pool.options);
    this.#clock = options.clock ?? monotonicClock;
    pool.on('acquire', (client) => this.#held.set(client, this.#clock.nowMs()));
    pool.on('release', (_error, client) => this.#held.delete(client));
    pool.on('remove', (client) => this.#held.delete(client));
    this.#timeConnect();
  }

  snapshot(): PoolSnapshot {
    const nowMs = this.#clock.nowMs();
    const oldestWait = this.#waits.values().next();
    const oldestHeld = this.#held.values().next();
    return {
      kind: 'pool',
      name: this.name,
      ...(this.#connectsTo && { connectsTo: this.#connectsTo }),
      size: this.#pool.totalCount,
      idle: this.#pool.idleCount,
      waiting: this.#pool.waitingCount,
      max: this.#pool.options.max ?? pgDefaultMax,
      oldestWaitMs: oldestWait.done ? 0 : nowMs - oldestWait.value.since,
      oldestHeldMs: oldestHeld.done ? 0 : nowMs - oldestHeld.value,
      lastMinute: this.#minute.read(nowMs),
    };
  }

  #timeConnect(): void {
    const connect = this.#pool.connect.bind(this.#pool) as unknown as Connect;
    const timed: Connect = (taken) => {
      const ended = this.#beginWait();
      if (taken) {
        return connect((error, client, release) => {
          ended(error ? 'failed' : 'acquired');
          taken(error, client, release);
        });
      }
      const connecting = connect();
      connecting?.then(
        () => {
          ended('acquired');
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

const pgDefaultMax = 10;
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
