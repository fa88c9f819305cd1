import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { canonicalJson, DoctorError, grantSchema, type Grant } from '@starr/kernel';

/** A new pair for `starr up`: the orchestrator keeps the private half, doctors are configured with the public one. PEM. */
export function createGrantKeys(): { privateKeyPem: string; publicKeyPem: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

/** The orchestrator's side: leave for one operation, as text. */
export function signGrant(grant: Grant, privateKeyPem: string): string {
  const body = Buffer.from(canonicalJson(grant)).toString('base64url');
  return `${body}.${sign(null, Buffer.from(body), createPrivateKey(privateKeyPem)).toString('base64url')}`;
}

/** The doctor's side. Fails with REMEDY_GRANT, saying which part is not good; never with what would help to forge one. */
export function verifyGrant(
  text: string,
  publicKeyPem: string,
  expected: { planHash: string; operationId: string; now: Date },
): Grant {
  const [body, signature, ...rest] = text.length > 16_384 ? [] : text.split('.');
  if (body === undefined || signature === undefined || rest.length > 0)
    throw bad('it is malformed');
  if (
    !verify(
      null,
      Buffer.from(body),
      createPublicKey(publicKeyPem),
      Buffer.from(signature, 'base64url'),
    )
  ) {
    throw bad('its signature is not the orchestrator’s');
  }
  const parsed = grantSchema.safeParse(JSON.parse(Buffer.from(body, 'base64url').toString('utf8')));
  if (!parsed.success) throw bad('its content is not of the known form');
  const grant = parsed.data;
  if (grant.planHash !== expected.planHash) throw bad('it is for another plan');
  if (grant.operationId !== expected.operationId) throw bad('it is for another operation');
  if (new Date(grant.expiresAt) <= expected.now) throw bad(`it expired at ${grant.expiresAt}`);
  return grant;
}

function bad(why: string): DoctorError {
  return new DoctorError('REMEDY_GRANT', {
    message: `the grant is refused: ${why}`,
    details: { field: 'grant' },
  });
}
