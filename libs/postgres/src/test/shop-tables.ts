import type { LabPostgres } from '@starr/lab';
import pg from 'pg';

/** A schema of the patient's with a table that nobody but its owner may touch; names that have to be quoted. */
export async function createShopTables(server: LabPostgres, rows = 1000): Promise<void> {
  await server.query(`
    CREATE ROLE "Own er" LOGIN;
    GRANT CREATE ON SCHEMA public TO "Own er";
    CREATE SCHEMA "Sh op" AUTHORIZATION "Own er";
    SET ROLE "Own er";
    CREATE TABLE "Sh op"."Order" (id int PRIMARY KEY, "Customer Id" int NOT NULL, note text);
    INSERT INTO "Sh op"."Order" SELECT n, n % 100, 'note ' || n FROM generate_series(1, ${rows}) n;
    CREATE TABLE "Sh op".other (id int PRIMARY KEY);
    GRANT USAGE ON SCHEMA "Sh op" TO shop;
    GRANT ALL ON ALL TABLES IN SCHEMA "Sh op" TO shop;
    ALTER TABLE "Sh op"."Order" SET (autovacuum_enabled = false)`);
  await server.query('ANALYZE');
}

export const SHOP_TABLE = { schema: 'Sh op', table: 'Order' } as const;

/** Statements of a refusal's cure, run as they stand. */
export async function runCure(server: LabPostgres, refused: string): Promise<void> {
  const at = refused.indexOf('Cure: ');
  if (at === -1) throw new Error(`no cure: ${refused}`);
  await server.query(refused.slice(at + 'Cure: '.length));
}

/** What a person types into psql: each statement on its own, in one session. */
export async function runByHand(server: LabPostgres, byHand: string): Promise<void> {
  const client = new pg.Client({ connectionString: server.superuserUrl });
  await client.connect();
  try {
    for (const line of byHand.split('\n')) await client.query(line);
  } finally {
    await client.end();
  }
}

/** A concurrent build that gave up behind an old snapshot: invalid, and every write pays for it. Nothing, if it is there. */
export async function leaveInvalidIndex(server: LabPostgres, name: string): Promise<void> {
  const quoted = pg.escapeIdentifier(name);
  await server.query(`DROP INDEX IF EXISTS "Sh op".${quoted}`);
  const holder = new pg.Client({ connectionString: server.superuserUrl });
  const builder = new pg.Client({ connectionString: server.superuserUrl });
  await Promise.all([holder.connect(), builder.connect()]);
  await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM "Sh op".other');
  await builder.query("SET lock_timeout = '50ms'");
  await builder
    .query(`CREATE INDEX CONCURRENTLY ${quoted} ON "Sh op"."Order" ("Customer Id")`)
    .catch(() => undefined);
  await Promise.all([holder.end(), builder.end()]);
  const rows = await server.query(
    `SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname = $1 AND NOT i.indisvalid`,
    [name],
  );
  if (rows.length !== 1) throw new Error(`index ${name} is not there, or valid`);
}
