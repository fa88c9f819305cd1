import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { isDoctorError, statusOf, type DoctorError } from '@starr/kernel';
import { fillSlots, openSession, startPostgres, type Fault, type LabPostgres } from '@starr/lab';
import { createPostgresAdapter } from './adapter/create-postgres-adapter.ts';
import { refusedByFromText } from './adapter/decode-refusal.ts';
import { postgresCatalog } from './catalog.ts';
import type { RefusedBy } from './postgres-request.ts';
import { examineOnce } from './test/examine-once.ts';
import { configOf, createRoles, eventually, limitOf } from './test/lab-target.ts';
import { MAJORS } from './test/majors.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

/** As written down in public incident notes; no such server is at hand. */
const RDS =
  'remaining connection slots are reserved for roles with privileges of the "rds_reserved" role';

const SERVER = { kind: 'postgres', name: 'orders' };
/** What is found from the failed connect alone. */
const FOUND: Partial<Record<RefusedBy, { id: string; about: object; says: string }>> = {
  'superuser-reserved': {
    id: 'db.connection-use',
    about: SERVER,
    says: 'all slots that are not reserved for superusers are in use',
  },
  reserved: {
    id: 'db.connection-use',
    about: SERVER,
    says: 'all slots that are not reserved are in use',
  },
  'superuser-attribute': {
    id: 'db.connection-use',
    about: SERVER,
    says: 'and the reserved ones too',
  },
  all: { id: 'db.connection-use', about: SERVER, says: 'every slot is in use' },
  'role-limit': {
    id: 'db.connection-limits',
    about: { kind: 'role', name: 'starr', scope: 'orders' },
    says: 'role starr is at its connection limit',
  },
  'database-limit': {
    id: 'db.connection-limits',
    about: { kind: 'database', name: 'closed', scope: 'orders' },
    says: 'database closed is at its connection limit',
  },
};
/** It asks the consoles of poolers, and none is configured. */
const NOT_OF_THE_SERVER = 'db.pgbouncer-pools';

describe('the refusal of Amazon RDS', () => {
  it('is decoded from its recorded text', () => {
    expect(refusedByFromText(RDS)).toBe('rds-reserved');
  });
});

describe.each(MAJORS)('all refusals decoded on PostgreSQL %i', (major) => {
  let server: LabPostgres;
  const faults: (Fault | AsyncDisposable)[] = [];

  beforeAll(async () => {
    server = await startPostgres({
      major,
      maxConnections: 20,
      settings: major >= 16 ? { reserved_connections: '2' } : {},
    });
    await createRoles(server);
    await server.query('CREATE DATABASE closed');
  }, 180_000);
  afterAll(() => server.stop());
  afterEach(async () => {
    await Promise.all(faults.splice(0).map((fault) => fault[Symbol.asyncDispose]()));
    await eventually(async () => {
      const left = await server
        .query(`SELECT 1 FROM pg_stat_activity WHERE application_name = 'filler'`)
        .catch(() => [1]); // every slot may still be taken
      return left.length === 0;
    });
    await server.query('ALTER ROLE starr CONNECTION LIMIT -1');
    if (major >= 16) await server.query('REVOKE pg_use_reserved_connections FROM shop');
  });

  const fill = async () => {
    faults.push(await fillSlots(server, 0, { user: 'shop', applicationName: 'filler' }));
  };
  const open = async (user: string, count: number) => {
    for (let n = 0; n < count; n += 1)
      faults.push(await openSession(server, { user, applicationName: 'filler' }));
  };
  /** By the failed connect alone: nothing else is known of the server. */
  const refused = async (database = 'postgres'): Promise<DoctorError> => {
    const adapter = createPostgresAdapter(configOf(server, { database }));
    try {
      await adapter.greet(limitOf());
      await adapter.perform({ kind: 'rows', sql: 'SELECT 1' }, limitOf());
    } catch (error) {
      if (isDoctorError(error)) return error;
      throw error;
    } finally {
      await adapter.close();
    }
    throw new Error('was let in');
  };
  const expectRefusal = async (by: RefusedBy, says: string, cure: string, database?: string) => {
    const error = await refused(database);
    expect(error.code).toBe('TARGET_BUSY');
    expect(refusedByFromText(error.rawMessage)).toBe(by);
    expect(error.rawMessage).toContain(says);
    expect(error.details['cure']).toContain(cure);
    await expectOneFinding(by, database);
  };
  /** All checks of a doctor that never held a session: one finding, and why the others could not look. */
  const expectOneFinding = async (by: RefusedBy, database = 'postgres') => {
    const adapter = createPostgresAdapter(configOf(server, { database }));
    try {
      const swept = [];
      for (const diagnostic of postgresCatalog.diagnostics) {
        const { verdict, ms } = await examineOnce(diagnostic, adapter);
        swept.push({ id: diagnostic.id, verdict, ms });
      }
      const { id, about, says } = FOUND[by]!;
      expect(swept.filter(({ verdict }) => statusOf(verdict) === 'found')).toMatchObject([
        {
          id,
          verdict: {
            findings: [{ severity: 'critical', about, says: expect.stringContaining(says) }],
            blind: [
              {
                why: 'unreachable',
                detail: expect.stringContaining('connection refused: '),
                cure: expect.any(String),
              },
            ],
          },
        },
      ]);
      for (const { id: other, verdict, ms } of swept) {
        expect(ms).toBeLessThan(2000);
        if (other === id || other === NOT_OF_THE_SERVER) continue;
        expect(`${other} ${statusOf(verdict)}`).toBe(`${other} blind`);
        for (const spot of verdict.blind ?? [])
          expect(spot).toMatchObject({
            why: 'unreachable',
            detail: expect.stringContaining('connection refused: '),
            cure: expect.any(String),
          });
      }
      await lift();
      await eventually(async () => {
        const { verdict } = await examineOnce(
          postgresCatalog.diagnostics.find((each) => each.id === id)!,
          adapter,
        );
        return statusOf(verdict) === 'healthy';
      });
    } finally {
      await adapter.close();
    }
  };
  /** The limit that was hit is no more. */
  const lift = async () => {
    await Promise.all(faults.splice(0).map((fault) => fault[Symbol.asyncDispose]()));
    await server.query(
      'ALTER ROLE starr CONNECTION LIMIT -1; ALTER DATABASE closed CONNECTION LIMIT -1',
    );
  };

  if (major < 16) {
    it('what is left is for superusers', async () => {
      await fill();
      await expectRefusal(
        'superuser-reserved',
        'all ordinary slots are in use; what is left is for superusers',
        'a connection that was held before',
      );
    });
  } else {
    it('what is left is for those who may use reserved slots', async () => {
      await fill();
      await expectRefusal(
        'reserved',
        'all ordinary slots are in use; reserved ones are left',
        'GRANT pg_use_reserved_connections TO starr;',
      );
    });

    it('the reserved ones are gone too, and what is left is for superusers', async () => {
      await server.query('GRANT pg_use_reserved_connections TO shop');
      await fill();
      await open('shop', 2);
      await expectRefusal(
        'superuser-attribute',
        'all ordinary and reserved slots are in use',
        'reserved_connections = 2',
      );
    });
  }

  it('everything is gone', async () => {
    await fill();
    await open('postgres', major >= 16 ? 5 : 3);
    await expectRefusal('all', 'every slot is in use', 'a connection that was held before');
  });

  it('the limit of the role is reached, and the server is empty', async () => {
    await server.query('ALTER ROLE starr CONNECTION LIMIT 0');
    await expectRefusal(
      'role-limit',
      'the CONNECTION LIMIT of role starr is reached; the server itself may be empty',
      'ALTER ROLE starr CONNECTION LIMIT 4;',
    );
  });

  it('the limit of the database is reached, and the server is empty', async () => {
    await server.query('ALTER DATABASE closed CONNECTION LIMIT 0');
    await expectRefusal(
      'database-limit',
      'the CONNECTION LIMIT of database closed is reached; the server itself may be empty',
      'ALTER DATABASE closed CONNECTION LIMIT',
      'closed',
    );
  });
});
