import type { LabPostgres } from '@starr/lab';
import pg from 'pg';

/** Sessions of the patient's own in a spec; all end with it. */
export class Clients {
  readonly #server: LabPostgres;
  readonly #opened: pg.Client[] = [];

  constructor(server: LabPostgres) {
    this.#server = server;
  }

  async open(application: string, user = 'shop', database = 'postgres'): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.#server.url(user, database),
      application_name: application,
    });
    client.on('error', () => undefined);
    await client.connect();
    this.#opened.push(client);
    return client;
  }

  /** Hangs up on all; nobody waits for a goodbye of one that is in the middle of something. */
  async close(): Promise<void> {
    for (const client of this.#opened.splice(0))
      (client as unknown as HasSocket).connection.stream.destroy();
    for (let rest = 200; rest > 0 && (await this.#left()) > 0; rest -= 1)
      await new Promise((resolve) => setTimeout(resolve, 20));
  }

  async #left(): Promise<number> {
    const rows = await this.#server.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name NOT IN ('starr', 'lab', '')
        AND pid <> pg_backend_pid() AND backend_type = 'client backend'`,
    );
    return rows.length;
  }
}

interface HasSocket {
  readonly connection: { readonly stream: { destroy(): void } };
}

export function pidOf(client: pg.Client): number {
  // pg keeps the backend's pid but its types do not say so.
  return (client as unknown as { processID: number }).processID;
}
