import { parseGameDayArgs } from './options.ts';
import { drawDays, playDays } from './play-days.ts';
import { SCENARIOS } from './scenarios/index.ts';
import { scoreLine, summarise } from './score.ts';

const known = SCENARIOS.map(({ id }) => id);
const options = parseGameDayArgs(process.argv.slice(2), known, () =>
  Math.floor(Math.random() * 1_000_000),
);
if ('fault' in options) {
  process.stderr.write(`${options.fault}\n`);
  process.exit(3);
}

const { seed, only, verbose } = options;
console.log(`seed ${seed}`);
const days = drawDays(seed).filter(
  ({ scenario }) => only.length === 0 || only.includes(scenario.id),
);
const { scores, skipped } = await playDays(days, {
  verbose,
  say: (text) => {
    console.log(text);
  },
});
for (const one of scores) console.log(scoreLine(one));
for (const { scenario, why } of skipped) console.log(`${scenario.padEnd(32)} skipped: ${why}`);
const { text, isPerfect } = summarise(scores);
console.log(text);
process.exitCode = isPerfect && scores.length > 0 ? 0 : 1;
