import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import {
  bits,
  context,
  contextBytes,
  integer,
  octets,
  oid,
  sequence,
  set,
  text,
  time,
  yes,
} from './der.ts';

/** A key pair with its certificate. `keyPem` is PKCS #8. */
export interface Certificate {
  readonly certPem: string;
  readonly keyPem: string;
}

/** An authority signs certificates; its own is what clients trust. */
export interface Authority extends Certificate {
  readonly issue: (request: CertificateRequest) => Certificate;
}

interface CertificateRequest {
  /** The user name that Kubernetes reads out of a client certificate. */
  readonly commonName: string;
  /** The groups that Kubernetes reads out of a client certificate; none by default. */
  readonly organizations?: readonly string[];
  /** `DNS:name` or `IP:a.b.c.d`; none by default, which suits a client. */
  readonly alternativeNames?: readonly string[];
}

const OID = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  alternativeName: '2.5.29.17',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

const HOUR_MS = 3_600_000;

const distinguishedName = (request: CertificateRequest): Buffer => {
  const part = (id: string, value: string): Buffer => set(sequence(oid(id), text(value)));
  return sequence(
    ...(request.organizations ?? []).map((name) => part(OID.organization, name)),
    part(OID.commonName, request.commonName),
  );
};

const alternativeName = (name: string): Buffer => {
  const value = name.slice(name.indexOf(':') + 1);
  return name.startsWith('IP:')
    ? contextBytes(7, Buffer.from(value.split('.').map(Number)))
    : contextBytes(2, Buffer.from(value, 'ascii'));
};

const critical = (id: string, body: Buffer): Buffer => sequence(oid(id), yes(), octets(body));
const extension = (id: string, body: Buffer): Buffer => sequence(oid(id), octets(body));

const authorityExtensions = (): Buffer[] => [
  critical(OID.basicConstraints, sequence(yes())),
  critical(OID.keyUsage, bits(Buffer.from([0b0000_0110]), 1)), // keyCertSign, cRLSign
];

const leafExtensions = (names: readonly string[]): Buffer[] => [
  critical(OID.keyUsage, bits(Buffer.from([0b1000_0000]), 7)), // digitalSignature
  extension(OID.extendedKeyUsage, sequence(oid(OID.serverAuth), oid(OID.clientAuth))),
  ...(names.length > 0
    ? [extension(OID.alternativeName, sequence(...names.map(alternativeName)))]
    : []),
];

const pem = (label: string, der: Buffer): string =>
  `-----BEGIN ${label}-----\n${(der.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END ${label}-----\n`;

interface Parts {
  readonly subject: Buffer;
  readonly issuer: Buffer;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Buffer[];
}

const signedCertificate = (parts: Parts, signingKey: KeyObject): string => {
  const now = Date.now();
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40; // positive, and never with a leading zero
  const body = sequence(
    context(0, integer(Buffer.from([2]))), // version 3
    integer(serial),
    algorithm,
    parts.issuer,
    // an hour back: clocks of one machine agree, a certificate of this very second still surprises
    sequence(time(new Date(now - HOUR_MS)), time(new Date(now + 24 * 365 * HOUR_MS))),
    parts.subject,
    parts.publicKey.export({ type: 'spki', format: 'der' }),
    context(3, sequence(...parts.extensions)),
  );
  const signature = sign('sha256', body, signingKey);
  return pem('CERTIFICATE', sequence(body, algorithm, bits(signature)));
};

const keyPair = (): { publicKey: KeyObject; privateKey: KeyObject } =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' });

const keyPem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

/**
 * A throw-away certificate authority with P-256 keys, in memory, valid for a year: what a lab's API
 * server, its clients and its kubelets trust. Needs no program beside Node.
 */
export const createAuthority = (commonName: string): Authority => {
  const own = keyPair();
  const issuer = distinguishedName({ commonName });
  const issue = (request: CertificateRequest): Certificate => {
    const pair = keyPair();
    const certPem = signedCertificate(
      {
        subject: distinguishedName(request),
        issuer,
        publicKey: pair.publicKey,
        extensions: leafExtensions(request.alternativeNames ?? []),
      },
      own.privateKey,
    );
    return { certPem, keyPem: keyPem(pair.privateKey) };
  };
  const self = {
    subject: issuer,
    issuer,
    publicKey: own.publicKey,
    extensions: authorityExtensions(),
  };
  return {
    certPem: signedCertificate(self, own.privateKey),
    keyPem: keyPem(own.privateKey),
    issue,
  };
};

/** The key pair that signs service account tokens. */
export const createSigningKey = (): { readonly publicPem: string; readonly keyPem: string } => {
  const pair = keyPair();
  return {
    publicPem: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    keyPem: keyPem(pair.privateKey),
  };
};
