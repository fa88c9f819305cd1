import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DoctorError } from '@starr/kernel';
import { createGrantKeys } from './grants.ts';

/** What the services of one machine share, in the state folder, each file 0600. */
export interface StateFiles {
  /** The loopback credential. */
  readonly token: string;
  /** The orchestrator's alone. */
  readonly grantPrivateKeyPem: string;
  /** Every doctor's. */
  readonly grantPublicKeyPem: string;
}

const FILES = {
  token: 'token',
  grantPrivateKeyPem: 'grant.private.pem',
  grantPublicKeyPem: 'grant.public.pem',
} as const;

/** Reads them, and makes what is not there yet. The pair of keys is made together or not at all. */
export async function ensureStateFiles(stateDir: string): Promise<StateFiles> {
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  await writeNew(join(stateDir, FILES.token), `${randomBytes(32).toString('base64url')}\n`);
  const keys = createGrantKeys();
  // The public half decides: without it the private one is not in use anywhere yet.
  if (await writeNew(join(stateDir, FILES.grantPublicKeyPem), keys.publicKeyPem)) {
    await writeFile(join(stateDir, FILES.grantPrivateKeyPem), keys.privateKeyPem, { mode: 0o600 });
  }
  return readStateFiles(stateDir);
}

/** Fails with CONFIG_UNREADABLE, saying what makes the file. */
export async function readStateFiles(stateDir: string): Promise<StateFiles> {
  const [token, grantPrivateKeyPem, grantPublicKeyPem] = await Promise.all([
    readText(join(stateDir, FILES.token)),
    readText(join(stateDir, FILES.grantPrivateKeyPem)),
    readText(join(stateDir, FILES.grantPublicKeyPem)),
  ]);
  return { token: token.trim(), grantPrivateKeyPem, grantPublicKeyPem };
}

async function writeNew(path: string, content: string): Promise<boolean> {
  try {
    await writeFile(path, content, { mode: 0o600, flag: 'wx' });
    return true;
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'EEXIST')
      return false;
    throw new DoctorError('CONFIG_UNREADABLE', {
      message: `cannot write ${path}`,
      cause: error,
      details: { field: 'stateDir' },
    });
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new DoctorError('CONFIG_UNREADABLE', {
      message: `cannot read ${path}; starr up makes it`,
      cause: error,
      details: { field: 'stateDir' },
    });
  }
}
