import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DoctorError } from '@starr/kernel';

const KEY_BYTES = 32;

/** The doctor's own key from its state folder, made (0600) at first need, so that operations of an earlier life can be probed. */
export async function loadSealKey(stateDir: string): Promise<Uint8Array> {
  const path = join(stateDir, 'seal.key');
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  try {
    await writeFile(path, randomBytes(KEY_BYTES).toString('hex'), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (!isExists(error))
      throw new DoctorError('CONFIG_UNREADABLE', {
        message: `cannot write the seal key ${path}`,
        cause: error,
        details: { field: 'stateDir' },
      });
  }
  const key = Buffer.from((await readFile(path, 'utf8')).trim(), 'hex');
  if (key.length !== KEY_BYTES)
    throw new DoctorError('CONFIG_UNREADABLE', {
      message: `${path} does not hold ${KEY_BYTES} bytes in hex; remove it to get a new one`,
    });
  return key;
}

function isExists(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'EEXIST';
}
