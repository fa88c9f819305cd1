import type { Adapter } from '@starr/kernel';
import {
  startPgBouncer,
  type LabPgBouncer,
  type LabPostgres,
  type PgBouncerOptions,
} from '@starr/lab';
import net from 'node:net';
import pg from 'pg';
import { createPostgresAdapter } from '../adapter/create-postgres-adapter.ts';
import type { PoolerConfig, PostgresConfig } from '../postgres-config.ts';
import type { PostgresAct } from '../postgres-act.ts';
import type { PostgresRequest } from '../postgres-request.ts';
import { configOf, eventually } from './lab-target.ts';
import { poolerConfig } from './pooled.ts';

type PostgresAdapter = Adapter<PostgresRequest, PostgresAct>;

/** A pooler before a server, its clients, and adapters that know both; all end with it. */
export class PooledLab {
  readonly server: LabPostgres;
  readonly pooler: LabPgBouncer;
  readonly #clients: pg.Client[] = [];
  readonly #adapters: PostgresAdapter[] = [];

  private constructor(server: LabPostgres, pooler: LabPgBouncer) {
    this.server = server;
    this.pooler = pooler;
  }

  static async start(
    server: LabPostgres,
    options: Partial<PgBouncerOptions> = {},
  ): Promise<PooledLab> {
    const users = ['shop', 'starr', 'starr_act'];
    return new PooledLab(server, await startPgBouncer({ postgres: server, users, ...options }));
  }

  /** `address`: where it comes from, of the loopback network. */
  async client(application: string, address = '127.0.0.1', database?: string): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.pooler.url('shop', database),
      application_name: application,
      stream: () => new SocketFrom(address),
    });
    client.on('error', () => undefined);
    await client.connect();
    this.#clients.push(client);
    return client;
  }

  adapter(more: Partial<PostgresConfig> = {}): PostgresAdapter {
    return this.adapterWith(poolerConfig(this.pooler), more);
  }

  adapterWith(pooler: PoolerConfig, more: Partial<PostgresConfig> = {}): PostgresAdapter {
    const adapter = createPostgresAdapter(configOf(this.server, { poolers: [pooler], ...more }));
    this.#adapters.push(adapter);
    return adapter;
  }

  /** One row of SHOW POOLS. */
  async pool(user = 'shop'): Promise<Readonly<Record<string, unknown>>> {
    const rows = await this.pooler.console('SHOW POOLS');
    return rows.find((row) => row['user'] === user) ?? {};
  }

  async waiting(clients: number): Promise<void> {
    await eventually(async () => Number((await this.pool())['cl_waiting']) === clients);
  }

  async setting(key: string): Promise<string> {
    const rows = await this.pooler.console('SHOW CONFIG');
    return String(rows.find((row) => row['key'] === key)?.['value']);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#adapters.map((adapter) => adapter.close()));
    // One that waits for a connection would wait for its answer before it says goodbye.
    for (const client of this.#clients)
      (client as unknown as HasSocket).connection.stream.destroy();
    await this.pooler.stop();
  }
}

interface HasSocket {
  readonly connection: { readonly stream: { destroy(): void } };
}

/** pg connects its socket by port and host; this one comes from an address as if it were another machine. */
class SocketFrom extends net.Socket {
  readonly #from: string;

  constructor(from: string) {
    super();
    this.#from = from;
  }

  override connect(...args: unknown[]): this {
    const [port, host] = args;
    return super.connect({ port: Number(port), host: String(host), localAddress: this.#from });
  }
}
