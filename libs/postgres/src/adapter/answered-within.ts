import { DoctorError } from '@starr/kernel';

/**
 * The answer, or EVIDENCE_TIMEOUT when the server says nothing for so long.
 * The session is then in an unknown state and must be discarded: see {@link isSilence}.
 */
export async function answeredWithin<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new DoctorError('EVIDENCE_TIMEOUT', {
          message: `no answer within ${ms} ms: stopped, overloaded, or the network drops`,
          details: { silent: 'true' },
        }),
      );
    }, ms);
  });
  // When the silence wins, the discarded session rejects the work later, and nobody listens any more.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, silence]);
  } finally {
    clearTimeout(timer);
  }
}

/** The server said nothing at all, unlike a statement that it ended at its timeout. */
export function isSilence(error: DoctorError): boolean {
  return error.details['silent'] === 'true';
}
