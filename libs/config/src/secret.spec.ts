import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { resolveSecret } from './secret.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'starr-secret-'));
  await writeFile(join(folder, 'password'), 'hunter2\n');
  await writeFile(join(folder, 'empty'), '\n');
});
afterAll(() => rm(folder, { recursive: true }));

describe('a secret by reference', () => {
  it('comes from the environment, a file or a command, without its line break', async () => {
    expect(await resolveSecret({ env: 'P' }, 'f', { P: 'a b' })).toBe('a b');
    expect(await resolveSecret({ file: join(folder, 'password') }, 'f', {})).toBe('hunter2');
    expect(await resolveSecret({ command: ['printf', 'tok%s', 'en'] }, 'f', {})).toBe('token');
  });

  it.each([
    [
      'a variable that is not set',
      { env: 'NOPE' },
      'the secret from env NOPE cannot be read: it is not set',
    ],
    [
      'a program that is not there',
      { command: ['no-such-program', 'x'] },
      'the secret from command no-such-program cannot be read: ENOENT',
    ],
    [
      'a program that fails',
      { command: ['false'] },
      'the secret from command false cannot be read: 1',
    ],
  ])('%s is an error that names the reference and its field', async (_name, reference, says) => {
    await expect(resolveSecret(reference, 'targets.x.password', {})).rejects.toMatchObject({
      code: 'CONFIG_UNREADABLE',
      rawMessage: `targets.x.password: ${says}`,
    });
  });

  it('an empty one is an error, not an empty password', async () => {
    await expect(resolveSecret({ file: join(folder, 'empty') }, 'f', {})).rejects.toMatchObject({
      code: 'CONFIG_UNREADABLE',
    });
  });
});
