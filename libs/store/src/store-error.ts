import { DoctorError, isDoctorError, maskText } from '@starr/kernel';

/** SQLSTATE classes and codes that mean: not now, or not with this server. */
const AWAY: readonly string[] = [
  '08', // connection exceptions
  '28', // the credential is refused
  '3D000', // no such database
  '40', // deadlock, serialization
  '42501', // no privilege
  '25006', // a standby: read only
  '53', // out of slots, memory, disk
  '55P03', // lock not available in time
  '57', // cancelled, shut down, starting up
  '58', // input/output error of the server
];

/** What PostgreSQL cannot keep in text or jsonb; whoever sent it can mend it. */
const NO_TEXT: readonly string[] = ['22021', '22P05'];

const CURES: Readonly<Record<string, string>> = {
  '28P01': 'check the password that store.url refers to',
  '3D000': 'create the database that store.url names',
  '42501': 'GRANT CREATE ON DATABASE to the role of store.url, so that it owns the schema starr',
  '25006': 'point store.url at the primary (target_session_attrs=read-write)',
  '53100': 'the disk of the store is full',
};

/** Any thrown value of pg as a DoctorError. Connection faults carry no SQLSTATE and mean that the store is away. */
export function storeError(thrown: unknown): DoctorError {
  if (isDoctorError(thrown)) return thrown;
  const state = sqlState(thrown);
  const says = maskText(
    thrown instanceof Object && 'message' in thrown ? String(thrown.message) : String(thrown),
  );
  if (state !== undefined && NO_TEXT.includes(state))
    return new DoctorError('WIRE_INVALID', {
      message: 'A text holds a character that no text may hold (0x00).',
      cause: thrown,
    });
  if (state !== undefined && !AWAY.some((prefix) => state.startsWith(prefix)))
    return new DoctorError('INTERNAL', {
      message: `The store refused a statement (${state}).`,
      cause: thrown,
    });
  const cure = state === undefined ? undefined : CURES[state];
  return new DoctorError('STORE_UNAVAILABLE', {
    message: `The store does not answer: ${says === '' ? 'no connection' : says}`,
    cause: thrown,
    details: {
      ...(state !== undefined && { sqlState: state }),
      ...(cure !== undefined && { cure }),
    },
  });
}

/** The five characters of SQLSTATE. System errors (ECONNREFUSED) have another form and give undefined. */
export function sqlState(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' && /^[0-9A-Z]{5}$/.test(thrown.code)
    ? thrown.code
    : undefined;
}

/** The unique index or constraint that a statement ran into; absent: something else. */
export function violatedConstraint(thrown: unknown): string | undefined {
  if (sqlState(thrown)?.startsWith('23') !== true) return undefined;
  const { constraint } = thrown as { constraint?: unknown };
  return typeof constraint === 'string' ? constraint : undefined;
}
