import { createHash } from 'node:crypto';
import { DoctorError } from '@starr/kernel';
import type { Database, Query } from './database.ts';
import { MIGRATIONS, type Migration } from './migrations.ts';

/** An arbitrary constant of our own: whoever migrates holds it, so that two orchestrators do not migrate at once. */
const MIGRATION_LOCK = 7_700_001;
const MIGRATE_WITHIN_MS = 30_000;
const SCHEMA = `
  CREATE SCHEMA IF NOT EXISTS starr;
  CREATE TABLE IF NOT EXISTS starr.migrations (
    name       text PRIMARY KEY,
    checksum   text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
  )`;

/**
 * Brings the schema `starr` to this version, all in one transaction. Needs CREATE on the database once.
 * Fails with CONFIG_INVALID when the schema was made by another or a newer Starr: nothing is changed then.
 */
export async function migrateDatabase(
  database: Database,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<void> {
  await database.transaction(async (query) => {
    await query(`SET LOCAL statement_timeout = ${MIGRATE_WITHIN_MS}`);
    await query(`SET LOCAL lock_timeout = ${MIGRATE_WITHIN_MS}`);
    await query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    if (await isCurrent(query, migrations)) return;
    await query(SCHEMA);
    const applied = await appliedChecksums(query);
    checkApplied(applied, migrations);
    for (const migration of migrations.filter(({ name }) => !applied.has(name))) {
      await query(migration.sql);
      await query('INSERT INTO starr.migrations (name, checksum) VALUES ($1, $2)', [
        migration.name,
        checksumOf(migration),
      ]);
    }
  }, MIGRATE_WITHIN_MS);
}

/** A store that is up to date needs no right to create anything. */
async function isCurrent(query: Query, migrations: readonly Migration[]): Promise<boolean> {
  const [found] = await query<{ there: boolean }>(
    `SELECT to_regclass('starr.migrations') IS NOT NULL AS there`,
  );
  if (found?.there !== true) return false;
  const applied = await appliedChecksums(query);
  checkApplied(applied, migrations);
  return applied.size === migrations.length;
}

async function appliedChecksums(query: Query): Promise<Map<string, string>> {
  const rows = await query<{ name: string; checksum: string }>(
    'SELECT name, checksum FROM starr.migrations',
  );
  return new Map(rows.map(({ name, checksum }) => [name, checksum]));
}

function checkApplied(applied: Map<string, string>, migrations: readonly Migration[]): void {
  const known = new Map(migrations.map((migration) => [migration.name, checksumOf(migration)]));
  for (const [name, checksum] of applied) {
    if (known.get(name) === checksum) continue;
    throw new DoctorError('CONFIG_INVALID', {
      message: known.has(name)
        ? `The store's migration ${name} differs from the one in this version.`
        : `The store was migrated by a newer version (${name} is not known here).`,
      details: { migration: name },
    });
  }
}

function checksumOf(migration: Migration): string {
  return createHash('sha256').update(migration.sql).digest('hex');
}
