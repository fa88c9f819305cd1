import { timesFaster, type Spread } from '../statistics.ts';
import type { LockEntrant, PostgresBench } from './bench-postgres.ts';
import { judgePostgres } from './judge-postgres.ts';
import { RIVAL_TIMEOUT_MS } from './lock-rivals.ts';

const NAMES = {
  forest: 'lock forest, end to end',
  join: 'join over pg_locks, as PgHero does',
  recursive: 'recursive query over pg_blocking_pids',
} as const satisfies Record<LockEntrant, string>;

export function reportPostgres(bench: PostgresBench): string {
  const lines = Object.entries(bench.queues).flatMap(([kind, entrants]) => [
    `  400 sessions wait for a ${kind}`,
    ...(Object.entries(NAMES) as [LockEntrant, string][]).map(([entrant, name]) => {
      const spread = entrants[entrant];
      const ended = spread.median >= RIVAL_TIMEOUT_MS ? ', ended by its timeout' : '';
      const ratio =
        entrant === 'forest'
          ? ''
          : `; the forest is ${timesFaster(entrants.forest, spread).toFixed(1)} times as fast`;
      return `    ${name.padEnd(40)} ${ms(spread)}${ended}${ratio}`;
    }),
  ]);
  return [
    '',
    'PostgreSQL',
    ...lines,
    `  triage: server time at 80 sessions          ${ms(bench.triageServerMs)}`,
    `  all checks while 400 wait for a table       ${ms(bench.sweepBesideQueue)}`,
    ...judgePostgres(bench).map(({ says, isMet }) => `  ${isMet ? 'met   ' : 'MISSED'}  ${says}`),
  ].join('\n');
}

function ms({ median, min, max }: Spread): string {
  return `${median.toFixed(1)} ms (${min.toFixed(1)}–${max.toFixed(1)})`;
}
