import pg from 'pg';
import type { LabPostgres, PostgresRow } from './postgres.ts';

/** Whom a session looks like. */
export interface SessionOptions {
  /** Default `postgres`. */
  readonly user?: string;
  /** Default `postgres`. */
  readonly database?: string;
  /** Default `lab`. */
  readonly applicationName?: string;
}

/** One session that is held: in a transaction, in a queue, or idle. */
export interface LabSession extends AsyncDisposable {
  readonly pid: number;
  query(sql: string): Promise<PostgresRow[]>;
  /** Hangs up, also in the middle of a statement. */
  end(): Promise<void>;
}

export async function openSession(
  server: LabPostgres,
  { user, database, applicationName = 'lab' }: SessionOptions = {},
): Promise<LabSession> {
  const client = new pg.Client({
    connectionString: server.url(user, database),
    application_name: applicationName,
  });
  client.on('error', () => undefined); // ended by whoever cures the fault
  await client.connect();
  // pg keeps both, but its types do not say so.
  const { processID, connection } = client as unknown as {
    processID: number;
    connection: { stream: { destroy(): void } };
  };
  const end = (): Promise<void> => {
    connection.stream.destroy();
    return Promise.resolve();
  };
  return {
    pid: processID,
    query: async (sql) => (await client.query<PostgresRow>(sql)).rows,
    end,
    [Symbol.asyncDispose]: end,
  };
}
