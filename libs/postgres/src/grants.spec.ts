import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { blindSpot, isBlindSpot, type GrantsAdvice } from '@starr/kernel';
import { startPostgres, type LabPostgres } from '@starr/lab';
import { createPostgresAdapter } from './adapter/create-postgres-adapter.ts';
import { postgresGrants } from './grants.ts';
import { see } from './test/examine-once.ts';
import { configOf, lookOf } from './test/lab-target.ts';
import { MAJORS } from './test/majors.ts';
import type { Alterables } from './reads/alterable.ts';
import type { MaintainableTables } from './reads/maintainable.ts';
import type { Privileges } from './reads/privileges.ts';
import type { Sequences } from './reads/sequences.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

/** Without what single remedies are offered for. */
function needed({ acting }: GrantsAdvice): string[] {
  return acting.filter((statement) => !statement.includes('; -- '));
}

function bare<T extends { readonly wrap?: { readonly inner: unknown } }>(read: T): T {
  return (read.wrap?.inner ?? read) as T;
}

describe.each(MAJORS)('what is to be granted on PostgreSQL %i', (major) => {
  let server: LabPostgres;
  beforeAll(async () => {
    server = await startPostgres({
      major,
      statStatements: true,
      settings: major >= 16 ? { reserved_connections: '2' } : {},
    });
    await server.query('CREATE ROLE starr LOGIN; CREATE ROLE "On-Call" LOGIN');
  }, 180_000);
  afterAll(() => server.stop());

  async function advise(user: string, options: Record<string, string> = {}): Promise<GrantsAdvice> {
    const adapter = createPostgresAdapter(configOf(server, { diagnosing: { user } }));
    const look = lookOf({ version: server.version, options });
    const privileges = await see(postgresGrants.reads.privileges, adapter, look);
    const sequences = await see(postgresGrants.reads.sequences, adapter, look);
    const maintainable = await see(bare(postgresGrants.reads.maintainable), adapter, look);
    const alterable = await see(bare(postgresGrants.reads.alterable), adapter, look);
    await adapter.close();
    if (isBlindSpot(privileges)) throw new Error(privileges.detail);
    return postgresGrants.advise(
      {
        privileges: privileges as Privileges,
        sequences: sequences as Sequences,
        maintainable: maintainable as MaintainableTables,
        alterable: alterable as Alterables,
        poolers: [],
      },
      look,
    );
  }

  const reserved = (role: string) =>
    major >= 16 ? [`GRANT pg_use_reserved_connections TO ${role};`] : [];

  it('for a bare role: all of it, and run verbatim nothing is lacking', async () => {
    const before = await advise('starr', { acting: 'starr_act' });
    expect(before.diagnosing).toEqual(['GRANT pg_monitor TO starr;', ...reserved('starr')]);
    expect(needed(before)).toEqual([
      'CREATE ROLE starr_act LOGIN CONNECTION LIMIT 4;',
      'GRANT pg_read_all_stats TO starr_act;',
      'GRANT pg_signal_backend TO starr_act;',
      ...reserved('starr_act'),
    ]);
    expect(before.lacking).toEqual([...before.diagnosing, ...needed(before)]);
    await server.query(before.lacking.join('\n'));
    expect((await advise('starr', { acting: 'starr_act' })).lacking).toEqual([]);
  });

  it('without an acting credential it is an offer, not a lack', async () => {
    const { acting, lacking } = await advise('On-Call');
    expect(acting).toContain('GRANT pg_signal_backend TO starr_act;');
    expect(lacking).toEqual(['GRANT pg_monitor TO "On-Call";', ...reserved('"On-Call"')]);
    await server.query(lacking.join('\n'));
    expect((await advise('On-Call')).lacking).toEqual([]);
  });

  it('from a diagnosing role that could act, that is taken away', async () => {
    await server.query('GRANT pg_signal_backend TO "On-Call"');
    const { lacking } = await advise('On-Call');
    expect(lacking).toEqual(['REVOKE pg_signal_backend FROM "On-Call";']);
    await server.query(lacking.join('\n'));
    expect((await advise('On-Call')).lacking).toEqual([]);
  });

  it('in place of a superuser another role is named; nothing is lacking to look', async () => {
    const { diagnosing, lacking } = await advise('postgres');
    expect(diagnosing).toEqual([
      'CREATE ROLE starr LOGIN CONNECTION LIMIT 4;',
      'GRANT pg_monitor TO starr;',
      ...reserved('starr'),
    ]);
    expect(lacking).toEqual([]);
  });

  it('sequences are to be read, in whatever schema; run verbatim they are', async () => {
    await server.query(
      'CREATE SCHEMA "Till"; CREATE SEQUENCE "Till".receipts; CREATE SEQUENCE orders',
    );
    const grant = 'GRANT SELECT ON ALL SEQUENCES IN SCHEMA "Till", public TO starr;';
    const { diagnosing, lacking } = await advise('starr');
    expect(diagnosing).toContain(grant);
    expect(lacking).toContain(grant);
    await server.query(grant);
    const after = await advise('starr');
    expect(after.diagnosing).toContain(grant);
    expect(after.lacking).not.toContain(grant);
    await server.query('DROP SCHEMA "Till" CASCADE; DROP SEQUENCE orders');
  });

  it('what single remedies need is offered with its purpose, lacks nowhere, and runs verbatim', async () => {
    await server.query(
      `CREATE ROLE "Own er" LOGIN CONNECTION LIMIT 20; CREATE SCHEMA "Till" AUTHORIZATION "Own er"; CREATE TABLE "Till".sale (id int);
       ALTER TABLE "Till".sale OWNER TO "Own er"; CREATE ROLE worker LOGIN CONNECTION LIMIT 5; CREATE TABLE root (id int)`,
    );
    const { acting, lacking } = await advise('starr', { acting: 'starr_act' });
    const offers = acting.filter((statement) => statement.includes('; -- '));
    const options = major >= 16 ? ' WITH INHERIT TRUE' : '';
    expect(offers).toContain(
      `GRANT "Own er" TO starr_act${options}; -- db.create-index, db.drop-invalid-index, db.reindex${major >= 17 ? '' : ', db.analyze, db.vacuum'} on what it owns`,
    );
    expect(offers.join('\n')).not.toContain('GRANT postgres ');
    for (const offer of offers) expect(lacking).not.toContain(offer);
    await server.query(offers.join('\n'));
    await server.query(
      'ALTER ROLE "Own er" CONNECTION LIMIT 30; ALTER ROLE worker CONNECTION LIMIT 6',
      [],
      { user: 'starr_act' },
    );
    await server.query('CREATE INDEX ON "Till".sale (id)', [], { user: 'starr_act' });
    await server.query('DROP SCHEMA "Till" CASCADE; DROP TABLE root');
  });

  it('a hostile role name stays a name', async () => {
    const { acting } = await advise('starr', { acting: `a'b"; DROP ROLE starr; --` });
    expect(acting[0]).toBe('CREATE ROLE "a\'b""; DROP ROLE starr; --" LOGIN CONNECTION LIMIT 4;');
  });
});

it('a server from 16 on that reserves no slot should', () => {
  const role = {
    role: 'starr',
    exists: true,
    isSuperuser: false,
    monitors: true,
    readsAllStats: true,
    signals: false,
    usesReserved: true,
  };
  const lackingOn = (version: string) =>
    postgresGrants.advise(
      {
        privileges: { diagnosing: role, reservedConnections: 0, keepsStatements: true },
        sequences: blindSpot('timeout', 'slow'),
        maintainable: blindSpot('timeout', 'slow'),
        alterable: blindSpot('timeout', 'slow'),
        poolers: [],
      },
      lookOf({ version }),
    ).lacking;
  expect(lackingOn('16.14')).toEqual([
    'ALTER SYSTEM SET reserved_connections = 2; -- takes effect with the next restart',
  ]);
  expect(lackingOn('15.18')).toEqual([]);
});

it.each([
  ['it is created', { keepsStatements: true, preloaded: '' }, []],
  ['the setting is hidden', { keepsStatements: false }, []],
  [
    'it is loaded and not created',
    { keepsStatements: false, preloaded: 'auto_explain, pg_stat_statements' },
    ['CREATE EXTENSION pg_stat_statements;'],
  ],
  [
    'nothing is loaded',
    { keepsStatements: false, preloaded: '' },
    [
      "ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'; -- takes effect with the next restart, then CREATE EXTENSION pg_stat_statements;",
    ],
  ],
  [
    'others are loaded, which stay',
    { keepsStatements: false, preloaded: 'auto_explain,pg_cron' },
    [
      "ALTER SYSTEM SET shared_preload_libraries = 'auto_explain', 'pg_cron', 'pg_stat_statements'; -- takes effect with the next restart, then CREATE EXTENSION pg_stat_statements;",
    ],
  ],
])('pg_stat_statements when %s', (_, more, lacking) => {
  const diagnosing = {
    role: 'starr',
    exists: true,
    isSuperuser: false,
    monitors: true,
    readsAllStats: true,
    signals: false,
    usesReserved: true,
  };
  const advice = postgresGrants.advise(
    {
      privileges: { diagnosing, reservedConnections: 2, ...more },
      sequences: blindSpot('timeout', 'slow'),
      maintainable: blindSpot('timeout', 'slow'),
      alterable: blindSpot('timeout', 'slow'),
      poolers: [],
    },
    lookOf({ version: '18.4' }),
  );
  expect(advice.lacking).toEqual(lacking);
});
