import { Metadata, status, type ServiceError, type StatusObject } from '@grpc/grpc-js';
import { DoctorError, isDoctorError, isErrorCode, type ErrorCode } from '@starr/kernel';
import type { Any } from './gen/google/protobuf/any.ts';
import { BadRequest, ErrorInfo } from './gen/google/rpc/error_details.ts';
import { Status } from './gen/google/rpc/status.ts';

/** The only place that knows gRPC status codes. A new error code without a line here does not compile. */
const STATUS_OF = {
  CONFIG_INVALID: status.FAILED_PRECONDITION,
  CONFIG_UNREADABLE: status.FAILED_PRECONDITION,
  TARGET_UNKNOWN: status.NOT_FOUND,
  TARGET_UNREACHABLE: status.UNAVAILABLE,
  TARGET_DENIED: status.FAILED_PRECONDITION,
  TARGET_UNSUPPORTED: status.UNIMPLEMENTED,
  TARGET_BUSY: status.RESOURCE_EXHAUSTED,
  EVIDENCE_TIMEOUT: status.DEADLINE_EXCEEDED,
  EVIDENCE_TRUNCATED: status.OUT_OF_RANGE,
  EVIDENCE_MALFORMED: status.DATA_LOSS,
  REMEDY_UNKNOWN: status.NOT_FOUND,
  REMEDY_PARAMETERS: status.INVALID_ARGUMENT,
  REMEDY_REFUSED: status.FAILED_PRECONDITION,
  REMEDY_SEAL: status.PERMISSION_DENIED,
  REMEDY_GRANT: status.PERMISSION_DENIED,
  REMEDY_TOMBSTONED: status.FAILED_PRECONDITION,
  REMEDY_BUSY: status.ABORTED,
  PLAN_UNKNOWN: status.NOT_FOUND,
  PLAN_NOT_APPROVED: status.FAILED_PRECONDITION,
  PLAYBOOK_INVALID: status.INVALID_ARGUMENT,
  INCIDENT_UNKNOWN: status.NOT_FOUND,
  STORE_UNAVAILABLE: status.UNAVAILABLE,
  WIRE_INVALID: status.INVALID_ARGUMENT,
  WIRE_UNAUTHENTICATED: status.UNAUTHENTICATED,
  WIRE_FORBIDDEN: status.PERMISSION_DENIED,
  WIRE_UNREACHABLE: status.UNAVAILABLE,
  WIRE_CANCELLED: status.CANCELLED,
  INTERNAL: status.INTERNAL,
} as const satisfies Record<ErrorCode, status>;

/** What a caller of a service that is not ours, or is gone, gets to read. */
const CODE_OF: Readonly<Partial<Record<status, ErrorCode>>> = {
  [status.CANCELLED]: 'WIRE_CANCELLED',
  [status.INVALID_ARGUMENT]: 'WIRE_INVALID',
  [status.DEADLINE_EXCEEDED]: 'EVIDENCE_TIMEOUT',
  [status.PERMISSION_DENIED]: 'WIRE_FORBIDDEN',
  [status.UNAUTHENTICATED]: 'WIRE_UNAUTHENTICATED',
  [status.UNAVAILABLE]: 'WIRE_UNREACHABLE',
  [status.UNIMPLEMENTED]: 'TARGET_UNSUPPORTED',
};

const DETAILS = 'grpc-status-details-bin';
const ERROR_INFO = 'type.googleapis.com/google.rpc.ErrorInfo';
const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest';

/**
 * Status travels in headers, and one that is too large breaks the connection with all calls on it: what a caller
 * sent is not echoed whole. Ample for everything that is ours to say.
 */
const MOST_CHARACTERS = { message: 2000, detail: 1000 };

/** An error as it leaves a service. What is not ours leaves as a fixed sentence; its text is for the log only. */
export function statusFromError(
  thrown: unknown,
): Partial<StatusObject> & { code: status; details: string } {
  const error =
    isDoctorError(thrown) && thrown.code !== 'INTERNAL' ? thrown : new DoctorError('INTERNAL');
  const code = STATUS_OF[error.code];
  const message = cut(error.rawMessage, MOST_CHARACTERS.message);
  const details: Any[] = [
    {
      typeUrl: ERROR_INFO,
      value: Buffer.from(
        ErrorInfo.encode({
          reason: error.code,
          domain: 'starr',
          metadata: cutAll(error.details),
        }).finish(),
      ),
    },
  ];
  const field = error.details['field'];
  if (field !== undefined) {
    const violations = { fieldViolations: [{ field: cut(field), description: cut(message) }] };
    details.push({
      typeUrl: BAD_REQUEST,
      value: Buffer.from(BadRequest.encode(violations).finish()),
    });
  }
  const metadata = new Metadata();
  metadata.set(DETAILS, Buffer.from(Status.encode({ code, message, details }).finish()));
  return { code, details: message, metadata };
}

function cut(text: string, most = MOST_CHARACTERS.detail): string {
  return text.length <= most ? text : `${text.slice(0, most)} … (${text.length} characters)`;
}

function cutAll(details: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(details).map(([key, value]) => [key, cut(value)]));
}

/** Any error of a call as a DoctorError: ours with its own code, others by their status. */
export function errorFromStatus(thrown: unknown): DoctorError {
  if (isDoctorError(thrown)) return thrown;
  if (!isServiceError(thrown)) return new DoctorError('INTERNAL', { cause: thrown });
  const own = errorInfo(thrown);
  if (own && isErrorCode(own.reason)) {
    return new DoctorError(own.reason, {
      message: thrown.details,
      details: own.metadata,
      cause: thrown,
    });
  }
  return new DoctorError(CODE_OF[thrown.code] ?? 'INTERNAL', {
    message: thrown.details,
    cause: thrown,
  });
}

function isServiceError(thrown: unknown): thrown is ServiceError {
  return (
    typeof thrown === 'object' &&
    thrown !== null &&
    'code' in thrown &&
    'details' in thrown &&
    'metadata' in thrown
  );
}

function errorInfo(error: ServiceError): ErrorInfo | undefined {
  const [bytes] = error.metadata.get(DETAILS);
  if (!(bytes instanceof Uint8Array)) return undefined;
  try {
    const info = Status.decode(bytes).details.find((detail) => detail.typeUrl === ERROR_INFO);
    return info && ErrorInfo.decode(info.value);
  } catch {
    return undefined; // details of somebody else in another form: the status alone decides
  }
}
