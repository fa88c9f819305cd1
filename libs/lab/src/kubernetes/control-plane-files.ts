import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Authority,
  type Certificate,
  createAuthority,
  createSigningKey,
} from './certificates.ts';

/** A static user: its token is as good as its name. */
interface StaticUser {
  readonly name: string;
  readonly token: string;
  readonly groups: readonly string[];
}

/** Where a certificate and its key lie. */
interface KeyFiles {
  readonly cert: string;
  readonly key: string;
}

export interface ControlPlaneFiles {
  readonly authority: Authority;
  readonly caPem: string;
  readonly ca: string;
  readonly server: KeyFiles;
  /** What the API server shows to a kubelet. */
  readonly kubeletClient: KeyFiles;
  readonly frontProxyCa: string;
  readonly frontProxy: KeyFiles;
  readonly serviceAccount: { readonly publicKey: string; readonly key: string };
  readonly tokens: string;
  readonly users: ReadonlyMap<string, StaticUser>;
}

/** The users that the lab itself needs, and the two that every test wants. */
const OWN_USERS: Readonly<Record<string, readonly string[]>> = {
  admin: ['system:masters'],
  // no group and no right until a test binds it a role
  diagnoser: [],
  'starr-node-agent': [],
  // the names that Kubernetes binds its own roles to
  'system:kube-controller-manager': [],
  'system:kube-scheduler': [],
};

/** Keys, certificates and tokens of one control plane, readable for their owner alone. */
export async function writeControlPlaneFiles(
  folder: string,
  furtherUsers: readonly string[],
): Promise<ControlPlaneFiles> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const save = async (name: string, text: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  const pair = async (name: string, certificate: Certificate): Promise<KeyFiles> => ({
    cert: await save(`${name}.crt`, certificate.certPem),
    key: await save(`${name}.key`, certificate.keyPem),
  });
  const authority = createAuthority('starr-lab');
  const frontProxyAuthority = createAuthority('starr-lab-front-proxy');
  const signing = createSigningKey();
  const users = staticUsers(furtherUsers);
  return {
    authority,
    caPem: authority.certPem,
    ca: await save('ca.crt', authority.certPem),
    server: await pair(
      'server',
      authority.issue({
        commonName: 'kube-apiserver',
        alternativeNames: ['IP:127.0.0.1', 'DNS:localhost', 'DNS:kubernetes.default.svc'],
      }),
    ),
    kubeletClient: await pair(
      'kubelet-client',
      authority.issue({ commonName: 'kube-apiserver-kubelet-client' }),
    ),
    frontProxyCa: await save('front-proxy-ca.crt', frontProxyAuthority.certPem),
    frontProxy: await pair(
      'front-proxy',
      frontProxyAuthority.issue({ commonName: 'front-proxy-client' }),
    ),
    serviceAccount: {
      publicKey: await save('service-account.pub', signing.publicPem),
      key: await save('service-account.key', signing.keyPem),
    },
    tokens: await save('tokens.csv', tokenTable([...users.values()])),
    users,
  };
}

function staticUsers(further: readonly string[]): ReadonlyMap<string, StaticUser> {
  const all: Readonly<Record<string, readonly string[]>> = {
    ...Object.fromEntries(further.map((name) => [name, []])),
    ...OWN_USERS,
  };
  return new Map(
    Object.entries(all).map(([name, groups]) => [
      name,
      { name, groups, token: randomBytes(24).toString('hex') },
    ]),
  );
}

function tokenTable(users: readonly StaticUser[]): string {
  return users
    .map(({ token, name, groups }) => `${token},${name},${name},"${groups.join(',')}"\n`)
    .join('');
}

export interface KubeconfigParts {
  readonly url: string;
  readonly caPem: string;
  readonly user: string;
  readonly token: string;
  /** Of the context; `default` when absent. */
  readonly namespace?: string;
}

/** A kubeconfig with one context, `lab`. JSON, which every reader of YAML reads. */
export function kubeconfigText(parts: KubeconfigParts): string {
  const authority = Buffer.from(parts.caPem).toString('base64');
  return JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        { name: 'lab', cluster: { server: parts.url, 'certificate-authority-data': authority } },
      ],
      users: [{ name: parts.user, user: { token: parts.token } }],
      contexts: [
        {
          name: 'lab',
          context: { cluster: 'lab', user: parts.user, namespace: parts.namespace ?? 'default' },
        },
      ],
      'current-context': 'lab',
    },
    null,
    2,
  );
}
