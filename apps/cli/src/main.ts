import { loadStarrYaml } from '@starr/config';
import { startTelemetry } from '@starr/telemetry';
import { configPath } from './config.ts';
import { runCli } from './run-cli.ts';
import { createTerminal } from './terminal.ts';

const args = process.argv.slice(2);
const option = !args.includes('--config') ? undefined : args[args.indexOf('--config') + 1];
// A trace begins with the person's command; a configuration that cannot be read is reported by the command itself.
const otlpUrl = await loadStarrYaml(configPath(option, process.env)).then(
  (config) => config.telemetry?.otlpUrl,
  () => undefined,
);
const telemetry = startTelemetry({ service: 'starr', otlpUrl });
const abort = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    abort.abort();
  });
process.exitCode = await runCli({
  args,
  env: process.env,
  terminal: createTerminal(process.env),
  signal: abort.signal,
});
await telemetry.stop();
