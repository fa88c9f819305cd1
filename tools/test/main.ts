import { availableParallelism } from 'node:os';
import { checkBoundaries } from './check-boundaries.ts';
import { checkGenerated } from './check-generated.ts';
import { prepareLab } from './prepare-lab.ts';
import { runJest } from './run-jest.ts';
import { runTasks } from './run-tasks.ts';
import { addTallies, tallyLine, type Tally } from './tally.ts';

/**
 * Everything in one go: `npm test`. With arguments, only the specs whose path matches one of them.
 * CI=true adds every version, the crash matrix and all game days, and lets nothing be skipped.
 */
const ci = process.env['CI'] === 'true';
const patterns = process.argv.slice(2);

const tallies: Tally[] = [];
if (patterns.length === 0) {
  tallies.push(await checkGenerated());
  tallies.push(await runTasks(['check:types', 'check:lint', 'check:format', 'check:unused']));
  tallies.push(await checkBoundaries());
}
const missing = await prepareLab();
tallies.push(
  await runJest({ patterns, ci, workers: Math.max(1, Math.min(3, availableParallelism())) }),
);

const total = addTallies(tallies);
for (const { what, why } of missing) console.log(`skipped  ${what}: ${why}`);
if (ci && total.skipped > 0)
  console.log(`with CI=true nothing may be skipped: ${total.skipped} counted as failed`);
const final = ci
  ? { passed: total.passed, failed: total.failed + total.skipped, skipped: 0 }
  : total;
console.log(tallyLine(final));
process.exitCode = final.failed > 0 || final.passed === 0 ? 1 : 0;
