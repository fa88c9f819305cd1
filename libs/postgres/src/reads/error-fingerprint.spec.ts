import { describe, expect, it } from '@jest/globals';
import { errorFingerprint } from './error-fingerprint.ts';

describe('the fingerprint of an error', () => {
  it.each([
    ['timeout after 3000 ms', 'timeout after ? ms'],
    ['user "jane" not found', 'user ? not found'],
    ["duplicate key 'jane@example.org'", 'duplicate key ?'],
    ['mail to jane@example.org bounced', 'mail to *** bounced'],
    ['order 3f2c1d2e-1111-2222-3333-444455556666 lost', 'order ? lost'],
    ['connect ECONNREFUSED 10.0.3.7:5432', 'connect ECONNREFUSED ?'],
    ['token=abcdef123456 refused', 'token=*** refused'],
    ['\u001b[2J\u001b[31mred\u0007\u202Eevil', 'red evil'],
    ['first\nsecond\r\n  third', 'first second third'],
    ['', ''],
    ['x'.repeat(500), 'x'.repeat(160)],
  ])('%j', (message, fingerprint) => {
    expect(errorFingerprint(message)).toBe(fingerprint);
  });

  it('is the same for errors that differ in their values alone', () => {
    expect(errorFingerprint('order 17 of "a" failed after 3.2 s')).toBe(
      errorFingerprint('order 4711 of "b" failed after 10 s'),
    );
  });

  it('takes no longer for a text that was made to be slow', () => {
    const startedAt = performance.now();
    errorFingerprint(`"${'\\'.repeat(1000)}${"'".repeat(1000)}${'a1-'.repeat(1000)}`);
    expect(performance.now() - startedAt).toBeLessThan(100);
  });
});
