import { Command } from 'commander';
import { join } from 'node:path';
import { loadStarrYaml } from '@starr/config';
import { ensureStateFiles } from '@starr/doctor-host';
import type { CommandContext } from '../command-context.ts';
import { configPath } from '../config.ts';
import { startOwnStore } from '../up/own-store.ts';
import { servicePrograms } from '../up/service-program.ts';
import { supervise } from '../up/supervise.ts';

export function upCommand(context: CommandContext): Command {
  return new Command('up')
    .description('start the five services of starr.yaml and keep them running until Ctrl-C')
    .action(async () => {
      const { terminal, signal, env } = context;
      const path = configPath(context.config(), env);
      const config = await loadStarrYaml(path);
      const { token } = await ensureStateFiles(config.stateDir);
      // Without store.url there is a small server of our own; its password need not be another secret.
      const store =
        config.store === undefined
          ? await startOwnStore(config.stateDir, token, (says) => {
              terminal.note(`ENDED  store  ${says}`);
            })
          : undefined;
      try {
        const services = await supervise({
          programs: servicePrograms(),
          logDir: join(config.stateDir, 'log'),
          env: {
            ...env,
            STARR_CONFIG: config.file,
            ...(store && { STARR_STORE_URL: store.url }),
            ...(config.telemetry && { OTEL_EXPORTER_OTLP_ENDPOINT: config.telemetry.otlpUrl }),
          },
          onReady: (service, port, pid) => {
            terminal.note(`ready  ${service}  ${config.listen.host}:${port}  pid ${pid}`);
          },
          onEnd: (service, says) => {
            terminal.note(
              `ENDED  ${service}  ${says}; its log: ${join(config.stateDir, 'log', `${service}.log`)}`,
            );
          },
        });
        terminal.print(`up  ${config.environment}  starr sweep --config ${path}`);
        if (!signal.aborted)
          await new Promise((resolve) => {
            signal.addEventListener('abort', resolve, { once: true });
          });
        await services.stop();
      } finally {
        // Left running it would keep a command alive that has failed.
        await store?.stop();
      }
    });
}
