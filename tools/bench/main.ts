import { availableParallelism, totalmem } from 'node:os';
import { judgeGoals } from './goals.ts';
import { benchPolicies } from './micro/policies/bench-policies.ts';
import { judgePolicies } from './micro/policies/judge-policies.ts';
import { reportPolicies } from './micro/policies/report-policies.ts';
import { reportMicro } from './micro/report-micro.ts';
import { parseBenchArgs, type BenchOptions } from './options.ts';
import { benchPostgres } from './postgres/bench-postgres.ts';
import { judgePostgres } from './postgres/judge-postgres.ts';
import { reportPostgres } from './postgres/report-postgres.ts';
import { reportSweep } from './report-sweep.ts';
import { benchSweep } from './sweep-bench.ts';

const options = parseBenchArgs(process.argv.slice(2));
if ('fault' in options) {
  process.stderr.write(`${options.fault}\n`);
  process.exitCode = 3;
} else {
  process.exitCode = await run(options);
}

/** 1 when a goal is missed: a ratio that is not reached is reported, never hidden. */
async function run({ parts, rounds, withJaeger }: BenchOptions): Promise<number> {
  const say = (says: string) => void process.stderr.write(`bench  ${says}\n`);
  const memoryGib = Math.round(totalmem() / 2 ** 30);
  console.log(
    `${new Date().toISOString().slice(0, 10)}, ${availableParallelism()} cores, ${memoryGib} GiB, Node ${process.version}`,
  );
  let isMissed = false;
  if (parts.has('sweep')) {
    const bench = await benchSweep({ rounds, withJaeger }, say);
    console.log(reportSweep(bench));
    isMissed = bench.scenes.some(({ results }) => judgeGoals(results).some(({ isMet }) => !isMet));
  }
  if (parts.has('micro')) console.log(await reportMicro(rounds, say));
  if (parts.has('postgres')) {
    const bench = await benchPostgres(rounds, say);
    console.log(reportPostgres(bench));
    isMissed ||= judgePostgres(bench).some(({ isMet }) => !isMet);
  }
  if (parts.has('policies')) {
    const bench = await benchPolicies(rounds, say);
    console.log(reportPolicies(bench));
    isMissed ||= judgePolicies(bench).some(({ isMet }) => !isMet);
  }
  return isMissed ? 1 : 0;
}
