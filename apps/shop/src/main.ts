import { parseConfig } from './config.ts';

// The preload (`--import ./telemetry.ts`) must patch pg and ioredis before compose.ts imports them.
const { compose } = await import('./compose.ts');

const config = parseConfig(process.argv.slice(2), process.env);
if (config.kind === 'invalid') {
  process.stderr.write(`${config.problems.join('\n')}\n`);
  process.exit(2);
}
const app = await compose(config.value);
const stop = (): void => {
  void app.stop().finally(() => process.exit(0));
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
await app.done;
stop();
