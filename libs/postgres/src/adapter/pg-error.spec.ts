import { describe, expect, it } from '@jest/globals';
import { DoctorError, type ErrorCode } from '@starr/kernel';
import type { RefusedBy } from '../postgres-request.ts';
import { refusedByFromText } from './decode-refusal.ts';
import { doctorErrorFromPg } from './pg-error.ts';

const context = { host: 'db.example', port: 5432, database: 'shop', role: 'starr' };
const thrown = (code: string | undefined, message: string) =>
  Object.assign(new Error(message), code === undefined ? {} : { code });

describe('a thrown value of the driver', () => {
  it.each<[string, unknown, ErrorCode, RegExp]>([
    [
      'no slot',
      thrown('53300', 'sorry, too many clients already'),
      'TARGET_BUSY',
      /every slot is in use/,
    ],
    [
      'starting up',
      thrown('57P03', 'the database system is starting up'),
      'TARGET_BUSY',
      /starting up/,
    ],
    [
      'a pooler that takes no more clients',
      thrown('08P01', 'no more connections allowed (max_client_conn)'),
      'TARGET_BUSY',
      /db\.example:5432: the pooler takes no more clients/,
    ],
    [
      'the same of a newer one',
      thrown('53300', 'no more connections allowed (max_client_conn)'),
      'TARGET_BUSY',
      /the pooler takes no more clients/,
    ],
    [
      'a pool that had nothing to give',
      thrown('08P01', 'query_wait_timeout'),
      'TARGET_BUSY',
      /no connection to the server to give/,
    ],
    [
      'a pooler before a server that is away',
      thrown('08P01', 'server login has been failing, try again later (server_login_retry)'),
      'TARGET_UNREACHABLE',
      /gets no connection to its server/,
    ],
    [
      'a pooler without such a database',
      thrown('08P01', 'no such database: shop'),
      'CONFIG_INVALID',
      /knows no database/,
    ],
    [
      'statement timeout',
      thrown('57014', 'canceling statement due to statement timeout'),
      'EVIDENCE_TIMEOUT',
      /at its timeout/,
    ],
    [
      'lock timeout',
      thrown('55P03', 'canceling statement due to lock timeout'),
      'EVIDENCE_TIMEOUT',
      /waited for a lock/,
    ],
    [
      'not allowed',
      thrown('42501', 'permission denied for table orders'),
      'TARGET_DENIED',
      /starr may not: permission denied/,
    ],
    [
      'wrong password',
      thrown('28P01', 'password authentication failed for user "starr"'),
      'TARGET_DENIED',
      /does not let starr in/,
    ],
    [
      'no line in pg_hba.conf',
      thrown('28000', 'no pg_hba.conf entry for host'),
      'TARGET_DENIED',
      /does not let starr in/,
    ],
    [
      'ended by an administrator',
      thrown('57P01', 'terminating connection due to administrator command'),
      'TARGET_UNREACHABLE',
      /administrator/,
    ],
    [
      'crashed',
      thrown('57P02', 'terminating connection because of crash of another server process'),
      'TARGET_UNREACHABLE',
      /crash/,
    ],
    [
      'ended for idling',
      thrown('57P05', 'terminating connection due to idle-session timeout'),
      'TARGET_UNREACHABLE',
      /idle-session/,
    ],
    [
      'ended in a transaction',
      thrown('25P03', 'terminating connection due to idle-in-transaction timeout'),
      'TARGET_UNREACHABLE',
      /idle-in-transaction/,
    ],
    [
      'no such database',
      thrown('3D000', 'database "shop" does not exist'),
      'CONFIG_INVALID',
      /does not exist/,
    ],
    [
      'no such view',
      thrown('42P01', 'relation "pg_stat_statements" does not exist'),
      'TARGET_UNSUPPORTED',
      /does not exist/,
    ],
    [
      'no such column',
      thrown('42703', 'column "leader_pid" does not exist'),
      'TARGET_UNSUPPORTED',
      /does not exist/,
    ],
    [
      'no such function',
      thrown('42883', 'function x() does not exist'),
      'TARGET_UNSUPPORTED',
      /does not exist/,
    ],
    [
      'a pooler',
      thrown('08P01', 'unsupported startup parameter: statement_timeout'),
      'TARGET_UNSUPPORTED',
      /startup parameter/,
    ],
    [
      'any other state',
      thrown('22012', 'division by zero'),
      'EVIDENCE_MALFORMED',
      /SQLSTATE 22012/,
    ],
    [
      'refused by the host',
      thrown('ECONNREFUSED', 'connect ECONNREFUSED'),
      'TARGET_UNREACHABLE',
      /db.example:5432/,
    ],
    ['a broken pipe', thrown('EPIPE', 'write EPIPE'), 'TARGET_UNREACHABLE', /EPIPE/],
    [
      'every address refused',
      new AggregateError([thrown('ECONNREFUSED', 'connect ECONNREFUSED ::1')], ''),
      'TARGET_UNREACHABLE',
      /db.example:5432/,
    ],
    [
      'a code down the causes',
      new Error('outer', { cause: thrown('42501', 'inner') }),
      'TARGET_DENIED',
      /outer/,
    ],
    [
      'a certificate of nobody',
      thrown('DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate'),
      'TARGET_DENIED',
      /not trusted/,
    ],
    [
      'a certificate of somebody else',
      thrown('ERR_TLS_CERT_ALTNAME_INVALID', 'Hostname does not match'),
      'TARGET_DENIED',
      /not trusted/,
    ],
    [
      'no TLS',
      thrown(undefined, 'The server does not support SSL connections'),
      'CONFIG_INVALID',
      /does not offer TLS/,
    ],
    [
      'no password',
      thrown(undefined, 'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'),
      'TARGET_DENIED',
      /none is configured/,
    ],
    [
      'silence at the connect',
      thrown(undefined, 'timeout expired'),
      'TARGET_UNREACHABLE',
      /within the connect timeout/,
    ],
    [
      'a lost session',
      thrown(undefined, 'Connection terminated unexpectedly'),
      'TARGET_UNREACHABLE',
      /terminated/,
    ],
    ['no Error at all', 'broken', 'TARGET_UNREACHABLE', /broken/],
  ])('%s', (_, value, code, message) => {
    const error = doctorErrorFromPg(value, context);
    expect(error.code).toBe(code);
    expect(error.rawMessage).toMatch(message);
    expect(error.cause).toBe(value);
  });

  it('that already is a DoctorError stays as it is', () => {
    const error = new DoctorError('EVIDENCE_TIMEOUT');
    expect(doctorErrorFromPg(error, context)).toBe(error);
  });

  it('keeps nothing of a secret in its text', () => {
    const error = doctorErrorFromPg(
      thrown('22P02', 'bad: password=hunter2 of jane@example.org'),
      context,
    );
    expect(error.rawMessage).not.toMatch(/hunter2|jane/);
  });
});

describe('the text of a refusal', () => {
  const reserved = 'remaining connection slots are reserved for';
  it.each<[string, RefusedBy, string | undefined]>([
    [`${reserved} non-replication superuser connections`, 'superuser-reserved', undefined],
    [
      `${reserved} roles with privileges of the "pg_use_reserved_connections" role`,
      'reserved',
      'GRANT pg_use_reserved_connections TO starr;',
    ],
    [`${reserved} roles with the SUPERUSER attribute`, 'superuser-attribute', undefined],
    ['sorry, too many clients already', 'all', undefined],
    ['too many connections for role "starr"', 'role-limit', 'ALTER ROLE starr CONNECTION LIMIT 4;'],
    ['too many connections for database "shop"', 'database-limit', undefined],
    [`${reserved} roles with privileges of the "rds_reserved" role`, 'rds-reserved', undefined],
    ['es tut mir leid, schon zu viele Verbindungen', 'unknown', undefined],
  ])('%s', (text, by, statement) => {
    expect(refusedByFromText(text)).toBe(by);
    const { cure } = doctorErrorFromPg(thrown('53300', text), context).details;
    if (statement === undefined) expect(cure).not.toMatch(/;$/);
    else expect(cure).toBe(statement);
  });
});
