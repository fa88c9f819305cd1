import { blindSpot, type BlindReason, type BlindSpot } from './blind-spot.ts';
import { toDoctorError } from './doctor-error.ts';
import type { ErrorCode } from './error-codes.ts';

const WHY: Readonly<Partial<Record<ErrorCode, BlindReason>>> = {
  TARGET_UNREACHABLE: 'unreachable',
  TARGET_DENIED: 'denied',
  TARGET_UNSUPPORTED: 'unsupported',
  TARGET_BUSY: 'unreachable',
  EVIDENCE_TIMEOUT: 'timeout',
  EVIDENCE_TRUNCATED: 'truncated',
  EVIDENCE_MALFORMED: 'unsupported',
  WIRE_UNREACHABLE: 'unreachable',
  WIRE_CANCELLED: 'timeout',
};

/** A failed look as a blind spot; the cure comes from the error's details. An error of our own reads as unsupported. */
export function blindFromError(thrown: unknown): BlindSpot {
  const error = toDoctorError(thrown);
  return blindSpot(WHY[error.code] ?? 'unsupported', error.rawMessage, error.details['cure']);
}
