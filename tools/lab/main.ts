import {
  POOLER_ROLES,
  startClusterStage,
  startPgBouncer,
  startPostgres,
  startStage,
  type ClusterStage,
  type Stage,
} from '@starr/lab';
import { readFile } from 'node:fs/promises';
import { prepareLab } from '../test/prepare-lab.ts';

/** `npm run lab`: every server of the lab for a person, until Ctrl-C. What cannot be had here is left out and said. */
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    stop.abort();
  });

const onStep = (says: string) => {
  process.stderr.write(`starting ${says}\n`);
};
const missing = await prepareLab();
for (const { what, why } of missing) console.log(`left out: ${what}; ${why}`);
const isWhole = !missing.some(({ what }) => what === 'kubernetes' || what === 'jaeger');
const stage: Stage | ClusterStage = isWhole
  ? await startClusterStage({ onStep })
  : await startStage({ onStep });
const older = await startPostgres({ major: 15 });
const pooler = missing.some(({ what }) => what === 'PgBouncer')
  ? undefined
  : await startPgBouncer({ postgres: older, users: [] });

const addresses: readonly (readonly [string, string])[] = [
  ['PostgreSQL 18', stage.postgres.superuserUrl],
  ['PostgreSQL 15', older.superuserUrl],
  ...(pooler
    ? ([
        ['PgBouncer', pooler.url()],
        ['its console', pooler.consoleUrl(POOLER_ROLES.acts)],
      ] as const)
    : []),
  ['Redis', stage.redis.url],
  ...(stage.jaeger
    ? ([
        ['Jaeger', stage.jaeger.queryUrl],
        ['OTLP', stage.jaeger.otlpGrpcUrl],
      ] as const)
    : []),
  ...('kubernetes' in stage
    ? ([
        ['Kubernetes', stage.kubernetes.url],
        ['kubeconfig', stage.kubernetes.adminKubeconfig],
        ['checkout', stage.shop.url],
      ] as const)
    : []),
  ['starr.yaml', stage.backstage.configPath],
];
for (const [name, address] of addresses) console.log(`${name.padEnd(14)} ${address}`);
console.log(`\n${await readFile(stage.backstage.configPath, 'utf8')}`);
console.log(`try: npm run starr -- --config ${stage.backstage.configPath} sweep`);
console.log('Ctrl-C ends all of it');

if (!stop.signal.aborted)
  await new Promise((resolve) => {
    stop.signal.addEventListener('abort', resolve, { once: true });
  });
await pooler?.stop();
await Promise.all([stage.stop(), older.stop()]);
