import { DoctorError, isDoctorError, maskText, type ErrorCode } from '@starr/kernel';
import type { PoolerConfig } from '../postgres-config.ts';
import { DEFAULT_POOLER_PORT } from './pooler-place.ts';
import { doctorErrorFromPg, textOf } from './pg-error.ts';

interface Known {
  readonly code: ErrorCode;
  readonly says: string;
  readonly cure?: (user: string) => string;
}

/** A pooler answers 08P01 to everything: only the text tells. */
const TEXTS: readonly (readonly [RegExp, Known])[] = [
  [
    /^not allowed$/,
    {
      code: 'TARGET_DENIED',
      says: 'its console is for admin_users and stats_users',
      cure: (user) => `Add ${user} to stats_users in pgbouncer.ini, then RELOAD.`,
    },
  ],
  [
    /^admin access needed$/,
    {
      code: 'TARGET_DENIED',
      says: 'this needs a user of admin_users',
      cure: (user) => `Add ${user} to admin_users in pgbouncer.ini, then RELOAD.`,
    },
  ],
  [
    /authentication failed|no such user/,
    {
      code: 'TARGET_DENIED',
      says: 'it does not let this user in',
      cure: (user) => `Add ${user} to auth_file, and check its password.`,
    },
  ],
];

/** Any value that the console threw as a DoctorError that names the pooler. Spec: pooler-console.spec.ts. */
export function doctorErrorFromPooler(
  thrown: unknown,
  { name, host, port = DEFAULT_POOLER_PORT }: PoolerConfig,
  user: string,
): DoctorError {
  const text = maskText(textOf(rootOf(thrown)));
  const known = TEXTS.find(([pattern]) => pattern.test(text))?.[1];
  if (known) {
    return new DoctorError(known.code, {
      message: `pooler ${name}, ${user}: ${known.says} (${text})`,
      cause: thrown,
      ...(known.cure && { details: { cure: known.cure(user) } }),
    });
  }
  const error = doctorErrorFromPg(thrown, { host, port, database: 'pgbouncer', role: user });
  return new DoctorError(error.code, {
    message: `pooler ${name}: ${error.rawMessage}`,
    cause: error,
    details:
      error.code === 'TARGET_UNREACHABLE'
        ? { cure: `Check that PgBouncer runs and that ${host}:${port} is its address.` }
        : error.details,
  });
}

function rootOf(thrown: unknown): unknown {
  return isDoctorError(thrown) && thrown.cause !== undefined ? rootOf(thrown.cause) : thrown;
}
