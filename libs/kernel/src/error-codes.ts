/** A code of the closed list: what it means by default, and whether the same call may succeed later. */
export interface ErrorCodeEntry {
  readonly says: string;
  readonly retryable: boolean;
}

/** Every error that leaves a library of Starr has one of these. gRPC status: libs/wire/src/status.ts. */
export const ERROR_CODES = {
  CONFIG_INVALID: { says: 'The configuration is not valid.', retryable: false },
  CONFIG_UNREADABLE: { says: 'The configuration cannot be read.', retryable: false },
  TARGET_UNKNOWN: { says: 'No target of that name is configured.', retryable: false },
  TARGET_UNREACHABLE: { says: 'The target does not answer.', retryable: true },
  TARGET_DENIED: { says: 'The target refuses this credential.', retryable: false },
  TARGET_UNSUPPORTED: { says: 'The target does not have this.', retryable: false },
  TARGET_BUSY: { says: 'The target turns requests away for now.', retryable: true },
  EVIDENCE_TIMEOUT: { says: 'The look took longer than its limit.', retryable: true },
  EVIDENCE_TRUNCATED: { says: 'There was more than the limit allows.', retryable: false },
  EVIDENCE_MALFORMED: { says: 'The target answered in an unexpected form.', retryable: false },
  REMEDY_UNKNOWN: { says: 'No remedy of that id exists.', retryable: false },
  REMEDY_PARAMETERS: { says: 'The parameters of the remedy are not valid.', retryable: false },
  REMEDY_REFUSED: { says: 'The remedy is refused.', retryable: false },
  REMEDY_SEAL: { says: 'The seal is not valid here.', retryable: false },
  REMEDY_GRANT: { says: 'The grant is not valid for this operation.', retryable: false },
  REMEDY_TOMBSTONED: {
    says: 'The operation was declared not applied; it can never be applied any more.',
    retryable: false,
  },
  REMEDY_BUSY: {
    says: 'Another operation of its kind (long or not) is in progress on this target.',
    retryable: true,
  },
  PLAN_UNKNOWN: { says: 'No plan of that id exists.', retryable: false },
  PLAN_NOT_APPROVED: { says: 'The plan is not approved as it stands.', retryable: false },
  PLAYBOOK_INVALID: { says: 'The playbook is not valid.', retryable: false },
  INCIDENT_UNKNOWN: { says: 'No incident of that id exists.', retryable: false },
  STORE_UNAVAILABLE: { says: 'The store does not answer.', retryable: true },
  WIRE_INVALID: { says: 'The request is not valid.', retryable: false },
  WIRE_UNAUTHENTICATED: { says: 'The call carries no valid credential.', retryable: false },
  WIRE_FORBIDDEN: { says: 'The role does not allow this call.', retryable: false },
  WIRE_UNREACHABLE: { says: 'The service does not answer.', retryable: true },
  WIRE_CANCELLED: { says: 'The call was cancelled.', retryable: true },
  INTERNAL: { says: 'Something went wrong inside Starr.', retryable: false },
} as const satisfies Record<string, ErrorCodeEntry>;

export type ErrorCode = keyof typeof ERROR_CODES;

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_CODES, text);
}
