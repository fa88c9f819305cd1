import { DoctorError, isDoctorError, maskText, type ErrorCode } from '@starr/kernel';
import { quoteIdentifier } from '../quote-identifier.ts';
import { poolerTextOf } from './decode-pooler-text.ts';
import { explainRefusal, refusedByFromText } from './decode-refusal.ts';

/** Whom an error is about. Holds no secret. */
export interface PgErrorContext {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly role: string;
}

interface Converted {
  readonly code: ErrorCode;
  readonly message: string;
  readonly cure?: string;
}

/** SQLSTATEs whose own text, masked, says enough. */
const BY_STATE: Readonly<Record<string, ErrorCode>> = {
  '57P01': 'TARGET_UNREACHABLE', // ended by an administrator: 'a held connection that was ended'
  '57P02': 'TARGET_UNREACHABLE', // the server crashed: 'killed'
  '57P03': 'TARGET_BUSY', // starting up or shutting down
  '57P05': 'TARGET_UNREACHABLE', // idle_session_timeout
  '25P03': 'TARGET_UNREACHABLE', // idle_in_transaction_session_timeout
  '3D000': 'CONFIG_INVALID', // no such database
  '42P01': 'TARGET_UNSUPPORTED',
  '42703': 'TARGET_UNSUPPORTED',
  '42883': 'TARGET_UNSUPPORTED',
  '08P01': 'TARGET_UNSUPPORTED', // a pooler that does not know a parameter or protocol
};

/** Any thrown value as a DoctorError. Spec: pg-error.spec.ts has a row for each branch. */
export function doctorErrorFromPg(thrown: unknown, context: PgErrorContext): DoctorError {
  if (isDoctorError(thrown)) return thrown;
  const { code, message, cure } = convert(thrown, context);
  return new DoctorError(code, {
    message,
    cause: thrown,
    details: cure === undefined ? {} : { cure },
  });
}

/** The SQLSTATE or Node code of a thrown value, down its cause chain. */
export function stateOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  if ('code' in thrown && typeof thrown.code === 'string') return thrown.code;
  // Happy eyeballs reports one error an address.
  if ('errors' in thrown && Array.isArray(thrown.errors)) return stateOf(thrown.errors[0]);
  return 'cause' in thrown ? stateOf(thrown.cause) : undefined;
}

export function textOf(thrown: unknown): string {
  return typeof thrown === 'object' && thrown !== null && 'message' in thrown
    ? String(thrown.message)
    : String(thrown);
}

function convert(thrown: unknown, context: PgErrorContext): Converted {
  const state = stateOf(thrown);
  const text = maskText(textOf(thrown));
  const where = `${context.host}:${context.port}`;
  const role = quoteIdentifier(context.role);
  const pooler = state === undefined ? undefined : poolerTextOf(text);
  if (pooler !== undefined) {
    const { says, ...rest } = pooler;
    return { ...rest, message: `${where}: ${says} (${text})` };
  }
  switch (state) {
    case '53300': {
      const { says, cure } = explainRefusal(
        refusedByFromText(text),
        context.role,
        context.database,
      );
      return { code: 'TARGET_BUSY', message: `connection refused: ${says} (${text})`, cure };
    }
    case '57014':
      return { code: 'EVIDENCE_TIMEOUT', message: 'the server ended the statement at its timeout' };
    case '55P03':
      return { code: 'EVIDENCE_TIMEOUT', message: 'the look would have waited for a lock' };
    case '42501':
      return { code: 'TARGET_DENIED', message: `${role} may not: ${text}` };
    case '28P01':
    case '28000':
      return {
        code: 'TARGET_DENIED',
        message: `the server does not let ${role} in: ${text}`,
        cure: `Check the password of ${role} and the line for it in pg_hba.conf.`,
      };
    case undefined:
      return withoutState(text, where);
    default:
      return withState(state, text, where);
  }
}

function withState(state: string, text: string, where: string): Converted {
  const known = BY_STATE[state];
  if (known !== undefined) return { code: known, message: `${where}: ${text}` };
  // Five characters of SQLSTATE: the server answered. Anything longer is a code of Node's sockets or TLS.
  if (/^[0-9A-Z]{5}$/.test(state) && !state.startsWith('E')) {
    return { code: 'EVIDENCE_MALFORMED', message: `${where}: ${text} (SQLSTATE ${state})` };
  }
  if (/CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO_/.test(state)) {
    return {
      code: 'TARGET_DENIED',
      message: `${where}: the server's certificate is not trusted: ${text}`,
      cure: 'Configure the CA file and the server name of this target.',
    };
  }
  return {
    code: 'TARGET_UNREACHABLE',
    message: `${where}: ${text}`,
    cure: `check that PostgreSQL runs and that ${where} is its address`,
  };
}

function withoutState(text: string, where: string): Converted {
  if (text.includes('does not support SSL')) {
    return {
      code: 'CONFIG_INVALID',
      message: `${where}: the server does not offer TLS, and the target is configured with it`,
    };
  }
  if (text.includes('client password must be a')) {
    return {
      code: 'TARGET_DENIED',
      message: `${where}: the server asks for a password, and none is configured`,
      cure: 'Configure the password of this target.',
    };
  }
  // pg's own words for a connect that nobody answered: 'timeout expired'.
  if (text === 'timeout expired') {
    return {
      code: 'TARGET_UNREACHABLE',
      message: `${where} accepts no session within the connect timeout: stopped, overloaded, or the network drops`,
    };
  }
  return { code: 'TARGET_UNREACHABLE', message: `${where}: ${text}` };
}
