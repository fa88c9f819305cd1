import { loadStarrYaml } from '@starr/config';
import { startTelemetry } from '@starr/telemetry';
import { configPath, type Env } from './config.ts';
import type { ExitCode } from './exit-codes.ts';
import { runCli } from './run-cli.ts';
import { createTerminal } from './terminal.ts';

/** The process of one command, with its trace and its signals. */
export async function startCli(args: readonly string[], env: Env): Promise<ExitCode> {
  const option = !args.includes('--config') ? undefined : args[args.indexOf('--config') + 1];
  // A trace begins with the person's command; a configuration that cannot be read is reported by the command itself.
  const otlpUrl = await loadStarrYaml(configPath(option, env)).then(
    (config) => config.telemetry?.otlpUrl,
    () => undefined,
  );
  const telemetry = startTelemetry({ service: 'starr', otlpUrl });
  const abort = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      abort.abort();
    });
  const terminal = await createTerminal(env);
  const code = await runCli({ args, env, terminal, signal: abort.signal });
  await telemetry.stop();
  return code;
}
