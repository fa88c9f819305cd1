import { readdirSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  ENTITY_KINDS,
  isBlindSpot,
  statusOf,
  type Adapter,
  type Entity,
  type Read,
} from '@starr/kernel';
import { leakConnections, lockTable, startPostgres, type LabPostgres } from '@starr/lab';
import { createPostgresAdapter } from './adapter/create-postgres-adapter.ts';
import { postgresCatalog } from './catalog.ts';
import type { PostgresAct } from './postgres-act.ts';
import type { PostgresRequest } from './postgres-request.ts';
import { examineOnce, see } from './test/examine-once.ts';
import { configOf, createRoles, limitOf, lookOf } from './test/lab-target.ts';
import { MAJORS } from './test/majors.ts';

type AnyRead = Read<unknown, PostgresRequest>;
const { diagnostics, remedies, resolvers, grants } = postgresCatalog;

function bare(read: AnyRead): AnyRead {
  return read.wrap === undefined ? read : bare(read.wrap.inner);
}

/** Every read of the catalog once, wrappers taken off. */
const reads: readonly AnyRead[] = [
  ...new Map(
    [
      ...diagnostics.flatMap((each) => Object.values(each.reads)),
      ...remedies.flatMap((each) => Object.values(each.reads)),
      ...resolvers.map(({ read }) => read),
      ...Object.values(grants?.reads ?? {}),
    ]
      .map((read) => bare(read as AnyRead))
      .map((read) => [read.id, read]),
  ).values(),
];
/** What a read asks the server, in SQL; empty: it asks no server. */
function sqlOf(read: AnyRead, version = '18.4'): readonly string[] {
  const request = read.request(lookOf({ version }));
  if (isBlindSpot(request)) return [];
  switch (request.kind) {
    case 'rows':
    case 'statement-plans':
      return [request.sql];
    case 'extension-rows':
      return request.variants.map(({ sql }) => sql);
    default:
      return [];
  }
}
const sqlReads = reads.filter((read) => sqlOf(read).length > 0);

/** Checks whose views show everything to everybody. All others are blind without pg_monitor. */
const SEES_WITHOUT_PG_MONITOR: Readonly<Record<string, string>> = {
  'db.checkpoints': 'the counters of the checkpointer are shown to everybody',
  'db.deadlocks': 'pg_stat_database is shown to everybody',
  'db.error-table': 'no table is configured here; one that it may not read is blind with the grant',
  'db.invalid-indexes': 'pg_index is shown to everybody; a build that is hidden makes it blind',
  'db.pgbouncer-pools': 'no pooler is configured there, and a console is asked, not the server',
  'db.redundant-indexes': 'pg_index is shown to everybody',
  'db.replication': 'slots are shown to everybody; a standby that is hidden makes it blind',
  'db.rollbacks': 'pg_stat_database is shown to everybody',
  'db.sequences': 'what is hidden needs a grant on the sequence, not pg_monitor',
  'db.settings': 'the settings that it judges are shown to everybody',
  'db.stale-statistics': 'the statistics of tables are shown to everybody',
  'db.temp-files': 'pg_stat_database is shown to everybody',
  'db.wraparound': 'pg_database is shown to everybody',
};

describe('the catalog', () => {
  it.each([
    ['diagnostics', diagnostics.map(({ id }) => id)],
    ['remedies', remedies.map(({ id }) => id)],
  ])('holds exactly the files of %s', (folder, ids) => {
    const sources = readdirSync(new URL(folder, import.meta.url)).filter((name) =>
      name.endsWith('.spec.ts'),
    );
    expect(sources.map((name) => `db.${name.replace('.spec.ts', '')}`).toSorted()).toEqual(
      [...ids].toSorted(),
    );
  });

  it('sources each threshold, and describes what it measures', () => {
    for (const { id, thresholds, measures, replaces } of diagnostics) {
      for (const { source, unit } of Object.values(
        thresholds as Record<string, { source: string; unit: string }>,
      )) {
        expect(`${id} ${source}`).toMatch(/ .{10,}/);
        expect(unit).not.toBe('');
      }
      expect(Object.keys(measures)).not.toHaveLength(0);
      expect(replaces).not.toHaveLength(0);
    }
  });

  it('has no read that signals, or that can wait for a lock of the patient', () => {
    const forbidden =
      /pg_terminate|pg_cancel|pg_(total_)?relation_size|pg_table_size|pg_get_(indexdef|expr)|pg_indexes|information_schema\.|;/i;
    for (const read of sqlReads) {
      for (const version of ['13.23', '15.18', '18.4']) {
        for (const sql of sqlOf(read, version)) expect(sql).not.toMatch(forbidden);
      }
    }
  });
});

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

describe.each(MAJORS)('every read on PostgreSQL %i', (major) => {
  let server: LabPostgres;
  let adapter: Adapter<PostgresRequest, PostgresAct>;
  const look = () => lookOf({ version: server.version });

  beforeAll(async () => {
    server = await startPostgres({ major, statStatements: true });
    await createRoles(server);
    await server.query('CREATE ROLE blunt LOGIN; CREATE TABLE locked (id int)');
  }, 180_000);
  afterAll(() => server.stop());
  afterEach(() => adapter.close());

  it.each(reads.map((read) => [read.id, read] as const))(
    '%s: sees, within its time, without writing',
    async (_, read) => {
      adapter = createPostgresAdapter(configOf(server));
      const leak = await leakConnections(server, 3, { user: 'shop', applicationName: 'checkout' });
      await adapter.greet(limitOf());
      const startedAt = performance.now();
      const value = await see(read, adapter, look());
      expect(value).not.toMatchObject({ kind: 'blind' });
      expect(performance.now() - startedAt).toBeLessThan(read.timeoutMs);
      await leak.end();
    },
  );

  it.each(sqlReads.map((read) => [read.id, read] as const))(
    '%s: is not held up by a table under ACCESS EXCLUSIVE with 50 waiters',
    async (_, read) => {
      adapter = createPostgresAdapter(configOf(server));
      await adapter.greet(limitOf());
      const fault = await lockTable(server, 'public.locked', 50, { user: 'postgres' });
      const startedAt = performance.now();
      expect(await see(read, adapter, look())).not.toMatchObject({ kind: 'blind' });
      expect(performance.now() - startedAt).toBeLessThan(1000);
      await fault.end();
    },
  );

  it.each(
    diagnostics
      .filter(({ id }) => SEES_WITHOUT_PG_MONITOR[id] !== undefined)
      .map((each) => [each.id, SEES_WITHOUT_PG_MONITOR[each.id], each] as const),
  )('%s: sees without pg_monitor, since %s', async (_, __, diagnostic) => {
    await server.query('REVOKE pg_monitor FROM blunt');
    adapter = createPostgresAdapter(configOf(server, { diagnosing: { user: 'blunt' } }));
    const { verdict } = await examineOnce(diagnostic, adapter);
    expect(verdict.measured).not.toHaveLength(0);
  });

  it.each(
    diagnostics
      .filter(({ id }) => SEES_WITHOUT_PG_MONITOR[id] === undefined)
      .map((each) => [each.id, each] as const),
  )(
    '%s: without pg_monitor is blind for being redacted, and its cure, verbatim, makes it see',
    async (_, diagnostic) => {
      const other = await leakConnections(server, 2, { user: 'shop', applicationName: 'checkout' });
      await server.query('REVOKE pg_monitor FROM blunt');
      adapter = createPostgresAdapter(configOf(server, { diagnosing: { user: 'blunt' } }));
      const { verdict } = await examineOnce(diagnostic, adapter);
      expect(statusOf(verdict)).toBe('blind');
      expect(verdict.blind).not.toHaveLength(0);
      for (const spot of verdict.blind!) {
        expect(spot).toMatchObject({ why: 'redacted', cure: 'GRANT pg_monitor TO blunt;' });
        await server.query(spot.cure!);
      }
      const cured = await examineOnce(diagnostic, adapter);
      expect(statusOf(cured.verdict)).toBe('healthy');
      expect(cured.verdict.measured).not.toHaveLength(0);
      await other.end();
    },
  );

  it.each(diagnostics.map((each) => [each.id, each] as const))(
    '%s: measures only what it describes, about kinds that are known',
    async (_, diagnostic) => {
      adapter = createPostgresAdapter(configOf(server));
      const leak = await leakConnections(server, 3, { user: 'shop', applicationName: 'checkout' });
      const { verdict, relations } = await examineOnce(diagnostic, adapter);
      expect(verdict.measured.map(({ name }) => name)).not.toHaveLength(0);
      for (const { name } of verdict.measured)
        expect(Object.keys(diagnostic.measures)).toContain(name);
      const entities: Entity[] = [
        ...verdict.measured.map(({ about }) => about),
        ...relations.flatMap(({ from, to }) => [from, to]),
      ];
      for (const { kind, scope } of entities) {
        const known = ENTITY_KINDS[kind as keyof typeof ENTITY_KINDS];
        expect({ kind, scope }).toEqual({
          kind,
          scope: known.scope === 'target' ? 'orders' : undefined,
        });
      }
      await leak.end();
    },
  );
});
