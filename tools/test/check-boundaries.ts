import { ESLint } from 'eslint';
import { PLANTED, type Planted } from './planted-faults.ts';
import { report } from './report.ts';
import { addTallies, type Tally } from './tally.ts';

/**
 * The negative control: one fault of each kind, planted as a text in the place where it would stand.
 * A rule that does not bite any more fails here, before it fails to protect.
 */
export async function checkBoundaries(): Promise<Tally> {
  const eslint = new ESLint({
    // The planted files do not exist, so rules that need types cannot look at them; those are not what is proved here.
    overrideConfig: [
      {
        files: ['**/*.ts'],
        languageOptions: { parserOptions: { project: null, projectService: false } },
      },
    ],
    ruleFilter: ({ ruleId }) => PLANTED.some(({ breaks }) => breaks === ruleId),
  });
  const tallies: Tally[] = [];
  for (const planted of PLANTED) tallies.push(await check(eslint, planted));
  return addTallies(tallies);
}

async function check(eslint: ESLint, { name, file, text, breaks }: Planted): Promise<Tally> {
  const startedAtMs = performance.now();
  const results = await eslint.lintText(`${text}\n`, { filePath: file });
  const found = results
    .flatMap(({ messages }) => messages)
    .map(({ ruleId, message }) => ({ ruleId, message }));
  const ok =
    breaks === undefined
      ? found.length === 0
      : found.length > 0 && found.every(({ ruleId }) => ruleId === breaks);
  return report(
    `boundary: ${name}`,
    ok,
    startedAtMs,
    `expected ${breaks ?? 'nothing'}, found ${JSON.stringify(found)}`,
  );
}
