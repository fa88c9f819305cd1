import { createHmac, timingSafeEqual } from 'node:crypto';
import { canonicalJson, DoctorError, type ErrorCode, type Json } from '@starr/kernel';

/** Keyed proof that a text was made here. One key, one purpose a text: a receipt is no plan. */
export interface Sealing {
  seal(purpose: 'plan' | 'receipt', content: Json): string;
  /** Fails with REMEDY_SEAL when it was not sealed with this key for this purpose. */
  open(purpose: 'plan' | 'receipt', text: string): unknown;
}

const MOST_BYTES = 1024 * 1024;

export function createSealing(key: Uint8Array): Sealing {
  const sign = (purpose: string, body: string) =>
    createHmac('sha256', key).update(`${purpose}.${body}`).digest();
  return {
    seal(purpose, content) {
      const body = Buffer.from(canonicalJson(content)).toString('base64url');
      return `${body}.${sign(purpose, body).toString('base64url')}`;
    },
    open(purpose, text) {
      const [body, signature, ...rest] = text.length > MOST_BYTES ? [] : text.split('.');
      if (body === undefined || signature === undefined || rest.length > 0)
        throw refuse('REMEDY_SEAL', `the ${purpose} seal is malformed`);
      const expected = sign(purpose, body);
      const given = Buffer.from(signature, 'base64url');
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
        throw refuse('REMEDY_SEAL', `the ${purpose} was not sealed by this doctor`);
      }
      return JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as unknown;
    },
  };
}

export function refuse(code: ErrorCode, message: string): DoctorError {
  return new DoctorError(code, { message });
}
