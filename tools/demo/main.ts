import { installPostgres, installRedis, type Stage } from '@starr/lab';
import { playActOne, type ActResult } from './act-one.ts';
import { createNarrator } from './narrator.ts';
import { parseDemoArgs } from './options.ts';

const options = parseDemoArgs(process.argv.slice(2));
if ('fault' in options) {
  process.stderr.write(`${options.fault}\n`);
  process.exit(3);
}

const narrator = createNarrator();
const stages: Stage[] = [];
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    stop.abort();
  });

narrator.setup('PostgreSQL and Redis are installed');
await installPostgres(18);
const redis = await installRedis();
if (redis.kind === 'missing') {
  process.stderr.write(`no demo without Redis: ${redis.why}\n`);
  process.exit(1);
}

const results: ActResult[] = [];
try {
  results.push(await playActOne(narrator, (stage) => stages.push(stage)));
  if (process.stdin.isTTY && process.stdout.isTTY && !stop.signal.aborted) {
    const [stage] = stages;
    narrator.step(
      `everything stays up until Ctrl-C; look around with: npm run starr -- --config ${stage?.backstage.configPath ?? ''} sweep`,
    );
    await new Promise((resolve) => {
      stop.signal.addEventListener('abort', resolve, { once: true });
    });
  }
} finally {
  await Promise.all(stages.map((stage) => stage.stop()));
}
const good = results.every(({ named, established }) => named && established);
narrator.step(
  good
    ? 'every act: the truth named first, the effect established'
    : 'not every act went as it should',
);
process.exitCode = good ? 0 : 1;
