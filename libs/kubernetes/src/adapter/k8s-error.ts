import { DoctorError, isDoctorError, maskText } from '@starr/kernel';
import { grantCommand } from '../grants/grant-command.ts';
import type { HttpAnswer } from './http.ts';
import type { Permission } from '../grants/permission.ts';

const MAX_WORDS = 300;

/** Reasons of TLS that Node names by code; the rest of a refused handshake says so in its text. */
const TLS_CODES =
  /^(?:ERR_TLS_|CERT_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_)/;

/**
 * Any answer of 400 and above as the one error class. `permission`: what the call needs, for the cure of a 403.
 * Tests of each branch: k8s-error.spec.ts; of 401, 403, 410 and 429 on a real API server: adapter/bad-days.spec.ts.
 */
export function errorFromAnswer(
  answer: HttpAnswer,
  what: string,
  permission?: Permission,
): DoctorError {
  const words = wordsOf(answer);
  switch (answer.status) {
    case 401:
      return new DoctorError('TARGET_DENIED', {
        message: `The API server does not accept the credential (401, ${what})`,
        details: { cure: 'Renew the token or certificate of the configured kubeconfig context' },
      });
    case 403:
      return deniedError(words, what, permission);
    case 404:
    case 405:
      return new DoctorError('TARGET_UNSUPPORTED', { message: said(answer.status, what, words) });
    case 410:
      return new DoctorError('EVIDENCE_TRUNCATED', {
        message: `The list changed too much while it was read (410, ${what})`,
      });
    case 429:
      return new DoctorError('TARGET_BUSY', {
        message: `The API server turns requests away (429, ${what})`,
        details: {
          cure: 'Look at its load: kubectl get --raw /debug/api_priority_and_fairness/dump_priority_levels',
        },
      });
    case 504:
      return new DoctorError('EVIDENCE_TIMEOUT', { message: said(504, what, words) });
    default:
      return answer.status >= 500
        ? new DoctorError('TARGET_UNREACHABLE', { message: said(answer.status, what, words) })
        : new DoctorError('EVIDENCE_MALFORMED', { message: said(answer.status, what, words) });
  }
}

/** Whatever a failed connection, an aborted request or a broken credential threw. */
export function errorFromThrown(thrown: unknown, what: string): DoctorError {
  if (isDoctorError(thrown)) return thrown;
  const { code, name, message } = factsOf(thrown);
  if (name === 'AbortError' || name === 'TimeoutError' || code === 'ABORT_ERR') {
    return new DoctorError('EVIDENCE_TIMEOUT', {
      message: `The API server did not answer in time (${what})`,
      cause: thrown,
    });
  }
  if (code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR') {
    return new DoctorError('CONFIG_UNREADABLE', { message: maskText(message), cause: thrown });
  }
  const tls = TLS_CODES.test(code);
  return new DoctorError('TARGET_UNREACHABLE', {
    message: `${tls ? 'No trust in the API server' : 'No connection to the API server'}: ${maskText(message).slice(0, MAX_WORDS)} (${what})`,
    cause: thrown,
    details: {
      cure: tls
        ? 'Correct certificate-authority and tls-server-name of the kubeconfig'
        : 'Check that the API server runs and that server of the kubeconfig is its address',
    },
  });
}

/** The server's own words: `message` of a Status, or plain text from the filters in front of it. Masked, bounded. */
export function wordsOf(answer: HttpAnswer): string {
  return maskText(statusOf(answer.text)?.message ?? answer.text)
    .trim()
    .slice(0, MAX_WORDS);
}

interface Status {
  readonly message?: string;
  readonly reason?: string;
  readonly metadata?: { readonly continue?: string };
}

export function statusOf(text: string): Status | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** Who was refused stands only in the text: `User "system:serviceaccount:starr:doctor" cannot list …`. */
function deniedError(words: string, what: string, permission?: Permission): DoctorError {
  const user = /\bUser "((?:[^"\\]|\\.)+)" cannot\b/i.exec(words)?.[1];
  const message = permission
    ? `${user ?? 'The account'} may not ${permission.verb} ${permission.resource} in namespace ${permission.namespace} (403)`
    : `Forbidden (403, ${what}): ${words}`;
  const cure = permission && user !== undefined ? { cure: grantCommand(permission, user) } : {};
  return new DoctorError('TARGET_DENIED', { message, details: cure });
}

function said(status: number, what: string, words: string): string {
  return `The API server answered ${status} (${what})${words === '' ? '' : `: ${words}`}`;
}

/** By shape, not by class: across realms instanceof fails. */
function factsOf(thrown: unknown): { code: string; name: string; message: string } {
  const textAt = (name: string): string => {
    if (typeof thrown !== 'object' || thrown === null) return '';
    const value = (thrown as Readonly<Record<string, unknown>>)[name];
    return typeof value === 'string' ? value : '';
  };
  return {
    code: textAt('code'),
    name: textAt('name'),
    message: textAt('message') || String(thrown),
  };
}
