import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { DoctorError } from '@starr/kernel';
import { z } from 'zod';
import { codeOf } from './error-code.ts';

/** A secret by reference only: a literal one in starr.yaml would end in a repository. */
export const secretSchema = z.union([
  z.strictObject({ env: z.string().min(1) }),
  z.strictObject({ file: z.string().min(1) }),
  z.strictObject({ command: z.array(z.string()).min(1) }),
]);

export type SecretReference = z.infer<typeof secretSchema>;

const COMMAND_TIMEOUT_MS = 5000;

/**
 * The secret itself, without a trailing line break. A command is run each time, since cloud tokens expire.
 * Fails with CONFIG_UNREADABLE, naming the reference and never the value.
 */
export async function resolveSecret(
  reference: SecretReference,
  field: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const value = await read(reference, field, env);
  if (value === '') throw unreadable(field, reference, 'it is empty');
  return value;
}

async function read(
  reference: SecretReference,
  field: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  if ('env' in reference) {
    const value = env[reference.env];
    if (value === undefined) throw unreadable(field, reference, 'it is not set');
    return value;
  }
  try {
    if ('file' in reference) return (await readFile(reference.file, 'utf8')).trimEnd();
    const [program = '', ...args] = reference.command;
    return (
      await promisify(execFile)(program, args, { timeout: COMMAND_TIMEOUT_MS })
    ).stdout.trimEnd();
  } catch (error) {
    const reason = codeOf(error) ?? 'it failed';
    throw unreadable(field, reference, reason);
  }
}

function unreadable(field: string, reference: SecretReference, why: string): DoctorError {
  const shown = inWords(reference);
  return new DoctorError('CONFIG_UNREADABLE', {
    message: `${field}: the secret from ${shown} cannot be read: ${why}`,
    details: { field, received: shown },
  });
}

function inWords(reference: SecretReference): string {
  if ('env' in reference) return `env ${reference.env}`;
  if ('file' in reference) return `file ${reference.file}`;
  return `command ${reference.command[0] ?? ''}`;
}
