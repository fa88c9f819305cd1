import { DoctorError, isDoctorError } from '@starr/kernel';
import pg from 'pg';
import { sqlState, storeError, violatedConstraint } from './store-error.ts';

export interface DatabaseOptions {
  /** postgresql:// URL; a password may come from ~/.pgpass. */
  readonly url: string;
  /** Bound of one call, connecting included. Default 1000. Enforced here and at the server. */
  readonly callTimeoutMs?: number;
  /** Default 8. */
  readonly maxConnections?: number;
}

/** Runs one statement on the connection of a call. */
export type Query = <R>(sql: string, values?: readonly unknown[]) => Promise<readonly R[]>;

/** The store's connections. Every call ends within its bound; then its connection is thrown away. */
export interface Database {
  /** One call, one connection. Fails with the driver's error for constraints, else STORE_UNAVAILABLE or INTERNAL. */
  call<T>(work: (query: Query) => Promise<T>, timeoutMs?: number): Promise<T>;
  /** The same inside BEGIN … COMMIT. When it fails, whether it committed is unknown only if the COMMIT was lost. */
  transaction<T>(work: (query: Query) => Promise<T>, timeoutMs?: number): Promise<T>;
  close(): Promise<void>;
}

export const CALL_TIMEOUT_MS = 1000;
/** Of a call's bound; what is left covers a connection that took its time. */
const LOCK_WAIT_SHARE = 0.6;

export function createDatabase(options: DatabaseOptions): Database {
  const callTimeoutMs = options.callTimeoutMs ?? CALL_TIMEOUT_MS;
  const pool = createPool(options, callTimeoutMs);
  const call: Database['call'] = (work, timeoutMs = callTimeoutMs) =>
    runCall(pool, work, timeoutMs);
  return {
    call,
    transaction: (work, timeoutMs) =>
      call(async (query) => {
        await query('BEGIN');
        try {
          const result = await work(query);
          await query('COMMIT');
          return result;
        } catch (thrown) {
          await query('ROLLBACK').catch(() => undefined); // the first error counts
          throw thrown;
        }
      }, timeoutMs),
    close: () => pool.end(),
  };
}

function createPool(options: DatabaseOptions, callTimeoutMs: number): pg.Pool {
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: 'starr-store',
    max: options.maxConnections ?? 8,
    connectionTimeoutMillis: callTimeoutMs,
    idleTimeoutMillis: 30_000,
    // A call that nobody waits for any more ends at the server too.
    statement_timeout: callTimeoutMs,
    // A held row is given up at the server while the caller still waits: the server's clock starts when the statement
    // arrives, so with the same bound a call that was reported as failed could win the row a moment later.
    lock_timeout: Math.ceil(LOCK_WAIT_SHARE * callTimeoutMs),
    idle_in_transaction_session_timeout: 5 * callTimeoutMs,
    allowExitOnIdle: true,
  });
  // Without listeners a connection that dies, idle or between two statements, ends the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

async function runCall<T>(
  pool: pg.Pool,
  work: (query: Query) => Promise<T>,
  timeoutMs: number,
): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(
      new DoctorError('STORE_UNAVAILABLE', {
        message: `The store did not answer within ${Math.round(timeoutMs)} ms.`,
      }),
    );
  }, timeoutMs);
  try {
    const client = await connect(pool, late);
    try {
      const result = await Promise.race([work(queryOn(client)), late]);
      client.release();
      return result;
    } catch (thrown) {
      // What the server or the caller refused leaves the connection whole; everything else may have left an answer on it.
      const whole = sqlState(thrown) !== undefined || isRefusal(thrown);
      client.release(whole ? undefined : true);
      throw thrown;
    }
  } catch (thrown) {
    throw violatedConstraint(thrown) === undefined ? storeError(thrown) : thrown;
  } finally {
    clearTimeout(timer);
  }
}

function isRefusal(thrown: unknown): boolean {
  return isDoctorError(thrown) && thrown.code !== 'STORE_UNAVAILABLE';
}

async function connect(pool: pg.Pool, late: Promise<never>): Promise<pg.PoolClient> {
  let tooLate = false;
  late.catch(() => {
    tooLate = true;
  });
  const connecting = pool.connect();
  connecting.then(
    (client) => {
      if (tooLate) client.release();
    },
    () => undefined, // the race below tells it
  );
  return Promise.race([connecting, late]);
}

function queryOn(client: pg.PoolClient): Query {
  return async <R>(sql: string, values: readonly unknown[] = []) => {
    const result = await client.query(sql, [...values]);
    return result.rows as readonly R[];
  };
}
