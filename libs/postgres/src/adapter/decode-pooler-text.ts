import type { ErrorCode } from '@starr/kernel';

export interface PoolerText {
  readonly code: ErrorCode;
  readonly says: string;
  readonly cure?: string;
}

/**
 * What a PgBouncer says on its own account to a session that goes through it. Always 08P01, whatever it is, in 1.18; newer
 * ones give some of them a SQLSTATE of their own. Only the text tells.
 */
const TEXTS: readonly (readonly [RegExp, PoolerText])[] = [
  [
    /^no more connections allowed/,
    {
      code: 'TARGET_BUSY',
      says: 'the pooler takes no more clients',
      cure: 'Raise max_client_conn of the pooler, or end clients that nobody needs; its console still lets us in: configure it under poolers.',
    },
  ],
  [
    /^query_wait_timeout/,
    {
      code: 'TARGET_BUSY',
      says: 'the pooler had no connection to the server to give within query_wait_timeout',
      cure: 'Look at the pools on its console: SHOW POOLS; configure it under poolers, so that the next sweep does.',
    },
  ],
  [
    /^server login has been failing|server_login_retry|^pgbouncer cannot connect to server/,
    {
      code: 'TARGET_UNREACHABLE',
      says: 'the pooler gets no connection to its server',
      cure: 'Check that the server behind the pooler runs and has slots left.',
    },
  ],
  [
    /^no such database/,
    {
      code: 'CONFIG_INVALID',
      says: 'the pooler knows no database of that name',
      cure: 'Add it to [databases] of pgbouncer.ini, or name another one in the URL of the target.',
    },
  ],
];

/** undefined: not one of its texts. */
export function poolerTextOf(text: string): PoolerText | undefined {
  return TEXTS.find(([pattern]) => pattern.test(text))?.[1];
}
