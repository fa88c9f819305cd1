import { userInfo } from 'node:os';
import { loadStarrYaml, type LoadedConfig } from '@starr/config';
import { readStateFiles } from '@starr/doctor-host';

export type Env = Readonly<Record<string, string | undefined>>;

/** What every command needs to know: where the services are, and with which credential to call them. */
export interface CliConfig {
  readonly config: LoadedConfig;
  readonly token: string;
  /** Who acts, for the audit. */
  readonly actor: string;
}

const DEFAULT_CONFIG = 'starr.yaml';

/** --config over STARR_CONFIG over ./starr.yaml. */
export function configPath(option: string | undefined, env: Env): string {
  return option ?? env['STARR_CONFIG'] ?? DEFAULT_CONFIG;
}

/** Fails with CONFIG_UNREADABLE when `starr up` has not made the state files yet. */
export async function readCliConfig(path: string, env: Env): Promise<CliConfig> {
  const config = await loadStarrYaml(path);
  const token = env['STARR_TOKEN'] ?? (await readStateFiles(config.stateDir)).token;
  return { config, token, actor: env['STARR_ACTOR'] ?? userInfo().username };
}
