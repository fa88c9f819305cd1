import { LEAST_SCORE, MUTATION_PARTS } from './mutation-plan.ts';
import { runStryker } from './run-stryker.ts';
import { scoreLine, scoreOf, survivorLine } from './score.ts';

/**
 * `npm run mutation [part …]`: breaks automaton, window and queue in every way that Stryker knows, one at a time, and
 * prints how many of these the specs notice. 1 when a part is below the goal.
 */
const names = process.argv.slice(2);
const unknown = names.filter((name) => MUTATION_PARTS.every((part) => part.name !== name));
if (unknown.length > 0) {
  const known = MUTATION_PARTS.map(({ name }) => name).join(', ');
  process.stderr.write(`part is "${unknown.join(', ')}"; allowed: ${known}\n`);
  process.exitCode = 3;
} else {
  process.exitCode = await run();
}

async function run(): Promise<number> {
  let isMissed = false;
  const parts = MUTATION_PARTS.filter(({ name }) => names.length === 0 || names.includes(name));
  for (const part of parts) {
    const score = scoreOf(await runStryker(part, { show: process.stderr.isTTY }));
    console.log(scoreLine(part.name, score));
    for (const survivor of score.survivors) console.log(survivorLine(survivor));
    isMissed ||= score.percent < LEAST_SCORE;
  }
  console.log(`${isMissed ? 'MISSED' : 'met   '} at least ${LEAST_SCORE} % in each part`);
  return isMissed ? 1 : 0;
}
