import { readCliConfig, configPath, type CliConfig, type Env } from './config.ts';
import type { ExitCode } from './exit-codes.ts';
import { connectOrchestrator } from './services.ts';
import type { Terminal } from './terminal.ts';
import type { OrchestratorClient } from '@starr/wire';

/** What a command gets. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly env: Env;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** The value of --config, if given. */
  config(): string | undefined;
  /** The code to end with; the last call counts. */
  endWith(code: ExitCode): void;
}

export function readConfigOf(context: CommandContext): Promise<CliConfig> {
  return readCliConfig(configPath(context.config(), context.env), context.env);
}

/** Runs `work` with the orchestrator and closes the channel after it. */
export async function withOrchestrator<T>(
  context: CommandContext,
  work: (orchestrator: OrchestratorClient, config: CliConfig) => Promise<T>,
): Promise<T> {
  const config = await readConfigOf(context);
  const orchestrator = connectOrchestrator(config);
  try {
    return await work(orchestrator, config);
  } finally {
    orchestrator.close();
  }
}
