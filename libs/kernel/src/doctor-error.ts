import { ERROR_CODES, type ErrorCode } from './error-codes.ts';

const BRAND = Symbol.for('starr.DoctorError');

export interface DoctorErrorOptions {
  /** What went wrong, in a sentence, masked; absent: the code's own text. */
  readonly message?: string;
  readonly cause?: unknown;
  /** Names the field or option, the value received, what is allowed, the cure: whatever a reader needs to act. */
  readonly details?: Readonly<Record<string, string>>;
}

/** The one error class. Never extended: switch on `code`. */
export class DoctorError extends Error {
  override readonly name = 'DoctorError';
  readonly code: ErrorCode;
  /** The message without the code in front. */
  readonly rawMessage: string;
  readonly details: Readonly<Record<string, string>>;
  readonly [BRAND] = true;

  constructor(code: ErrorCode, options: DoctorErrorOptions = {}) {
    const rawMessage = options.message ?? ERROR_CODES[code].says;
    super(
      `[${code}] ${rawMessage}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.rawMessage = rawMessage;
    this.details = options.details ?? {};
  }

  /** True when the same call may succeed later. */
  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }
}

/** Recognises the class across copies of this library and across jest's realms, where instanceof fails. */
export function isDoctorError(thrown: unknown): thrown is DoctorError {
  return typeof thrown === 'object' && thrown !== null && BRAND in thrown;
}

/** Any thrown value as a DoctorError; what is not one becomes INTERNAL with the original as its cause. */
export function toDoctorError(thrown: unknown): DoctorError {
  if (isDoctorError(thrown)) return thrown;
  return new DoctorError('INTERNAL', { cause: thrown });
}
