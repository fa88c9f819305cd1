import { SCENARIOS } from './scenarios/index.ts';
import { playDays } from './play-days.ts';
import { summarise, type Score } from './score.ts';

/** `npm run game-day -- [--seed N] [scenario …]` */
const args = process.argv.slice(2);
const at = args.indexOf('--seed');
const seed = at < 0 ? Math.floor(Math.random() * 1_000_000) : Number(args[at + 1]);
const only = args.filter((_arg, index) => at < 0 || (index !== at && index !== at + 1));
const known = SCENARIOS.map(({ id }) => id);
const fault = !Number.isInteger(seed)
  ? `--seed is "${args[at + 1] ?? ''}"; allowed: a whole number`
  : only
      .filter((id) => !known.includes(id))
      .map((id) => `scenario is "${id}"; allowed: ${known.join(', ')}`)[0];
if (fault !== undefined) {
  process.stderr.write(`${fault}\n`);
  process.exit(3);
}

console.log(`seed ${seed}`);
const { scores, skipped } = await playDays(seed, only, (text) => {
  console.log(text);
});
const mark = (value: boolean | undefined) => (value === undefined ? '-' : value ? 'yes' : 'NO');
const row = (one: Score) =>
  `${one.scenario.padEnd(24)} top-1 ${mark(one.top1).padEnd(4)} top-3 ${mark(one.top3).padEnd(4)} path ${mark(one.path).padEnd(4)} effect ${mark(one.effect).padEnd(4)} false alarms ${one.falseAlarms}  ${one.said}`;
for (const one of scores) console.log(row(one));
for (const { scenario, why } of skipped) console.log(`${scenario.padEnd(24)} skipped: ${why}`);
const { text, isPerfect } = summarise(scores);
console.log(text);
process.exitCode = isPerfect && scores.length > 0 ? 0 : 1;
