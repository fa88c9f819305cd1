import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { blindSpot, isBlindSpot, type GrantsAdvice } from '@starr/kernel';
import { startPostgres, type LabPostgres } from '@starr/lab';
import { createPostgresAdapter } from './adapter/create-postgres-adapter.ts';
import { postgresGrants } from './grants.ts';
import { see } from './test/examine-once.ts';
import { configOf, lookOf } from './test/lab-target.ts';
import { MAJORS } from './test/majors.ts';
import type { Privileges } from './reads/privileges.ts';
import type { Sequences } from './reads/sequences.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

describe.each(MAJORS)('what is to be granted on PostgreSQL %i', (major) => {
  let server: LabPostgres;
  beforeAll(async () => {
    server = await startPostgres({
      major,
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
    await adapter.close();
    if (isBlindSpot(privileges)) throw new Error(privileges.detail);
    return postgresGrants.advise(
      { privileges: privileges as Privileges, sequences: sequences as Sequences },
      look,
    );
  }

  const reserved = (role: string) =>
    major >= 16 ? [`GRANT pg_use_reserved_connections TO ${role};`] : [];

  it('for a bare role: all of it, and run verbatim nothing is lacking', async () => {
    const before = await advise('starr', { acting: 'starr_act' });
    expect(before.diagnosing).toEqual(['GRANT pg_monitor TO starr;', ...reserved('starr')]);
    expect(before.acting).toEqual([
      'CREATE ROLE starr_act LOGIN CONNECTION LIMIT 4;',
      'GRANT pg_read_all_stats TO starr_act;',
      'GRANT pg_signal_backend TO starr_act;',
      ...reserved('starr_act'),
    ]);
    expect(before.lacking).toEqual([...before.diagnosing, ...before.acting]);
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
        privileges: { diagnosing: role, reservedConnections: 0 },
        sequences: blindSpot('timeout', 'slow'),
      },
      lookOf({ version }),
    ).lacking;
  expect(lackingOn('16.14')).toEqual([
    'ALTER SYSTEM SET reserved_connections = 2; -- takes effect with the next restart',
  ]);
  expect(lackingOn('15.18')).toEqual([]);
});
