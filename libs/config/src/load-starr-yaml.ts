import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { DoctorError } from '@starr/kernel';
import { codeOf } from './error-code.ts';
import { parseYaml } from './parse-yaml.ts';
import { starrYamlSchema, type StarrYaml } from './starr-yaml.ts';

export type LoadedConfig = StarrYaml & {
  /** Absolute. */
  readonly stateDir: string;
  /** Absolute path of the file. */
  readonly file: string;
};

/** Reads and checks starr.yaml; relative paths in it are relative to it. Fails with CONFIG_UNREADABLE or CONFIG_INVALID. */
export async function loadStarrYaml(path: string): Promise<LoadedConfig> {
  const file = resolve(path);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const code = codeOf(error) ?? 'unreadable';
    throw new DoctorError('CONFIG_UNREADABLE', {
      message: `${path} cannot be read: ${code}`,
      cause: error,
      details: { field: '--config', received: path },
    });
  }
  const config = parseYaml(text, path, starrYamlSchema);
  const base = dirname(file);
  const playbooks =
    config.playbooks === undefined ? {} : { playbooks: absolute(config.playbooks, base) };
  return {
    ...config,
    ...playbooks,
    file,
    stateDir: absolute(config.stateDir ?? defaultStateDir(), base),
  };
}

function absolute(path: string, base: string): string {
  if (path.startsWith('~/')) return join(homedir(), path.slice(2));
  return isAbsolute(path) ? path : resolve(base, path);
}

/** Root's own home is often closed to the user that the store's server runs as. */
function defaultStateDir(): string {
  return process.getuid?.() === 0 ? '/var/lib/starr' : join(homedir(), '.local', 'state', 'starr');
}
