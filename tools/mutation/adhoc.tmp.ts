import { runStryker } from './run-stryker.ts';
import { scoreLine, scoreOf, survivorLine } from './score.ts';
const [name = '', files = '', specs = ''] = process.argv.slice(2);
const score = scoreOf(
  await runStryker({ name, files: files.split(','), specs: specs.split(',') }, { show: false }),
);
console.log(scoreLine(name, score));
for (const survivor of score.survivors) console.log(survivorLine(survivor));
