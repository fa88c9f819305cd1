import type { Spread } from '../statistics.ts';
import { benchMatcher } from './bench-matcher.ts';
import { benchMiner } from './bench-miner.ts';
import { benchRunner } from './bench-runner.ts';

const MATCHER_RUNS = 10;

/** Runs the parts that a sweep is made of, beside something of the same run: ratios, no absolute promises. */
export async function reportMicro(rounds: number, say: (says: string) => void): Promise<string> {
  say('the host without patients');
  const runner = await benchRunner();
  say('the matcher');
  const matcher = await benchMatcher(MATCHER_RUNS);
  say('the log template miner');
  const miner = await benchMiner(rounds);
  const perCheckMs = (runner.hosted.median - runner.direct.median) / runner.checks;
  const perSecond = (spread: Spread) => Math.round((miner.lines / spread.median) * 1000);
  return [
    '',
    'Parts',
    `  host     ${runner.checks} checks on an adapter that answers at once: ${ms(runner.hosted)}; its reads alone ${ms(runner.direct)}; the host adds ${perCheckMs.toFixed(2)} ms a check`,
    `  matcher  ${matcher.relations} relations, ${matcher.findings} findings → ${matcher.causes} causes: ${ms(matcher.whole)}; a quarter of it ${ms(matcher.quarter)}: ${(matcher.whole.median / matcher.quarter.median).toFixed(1)} times for 4 times as much`,
    `  miner    ${miner.lines} lines, ${miner.distinct} of them distinct → ${miner.templates} templates: ${perSecond(miner.miner)} lines/s; sort | uniq -c | sort -rn ${perSecond(miner.pipe)} lines/s: ${(miner.pipe.median / miner.miner.median).toFixed(2)} times as fast`,
  ].join('\n');
}

function ms({ median, min, max }: Spread): string {
  return `${median.toFixed(1)} ms (${min.toFixed(1)}–${max.toFixed(1)})`;
}
