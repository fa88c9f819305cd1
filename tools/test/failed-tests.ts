import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';

/** The part of jest's own result that says what failed. */
export const testResultsSchema = z.array(
  z.object({
    name: z.string(),
    message: z.string(),
    assertionResults: z.array(
      z.object({
        fullName: z.string(),
        status: z.string(),
        failureMessages: z.array(z.string()).nullish(),
      }),
    ),
  }),
);

const MAX_LINES_A_TEST = 12;

/**
 * Every failed test once more, briefly and together: a log that is kept only from its end still says what failed and why.
 * A suite that could not run stands with its own message. Empty: nothing failed.
 */
export function failedTests(
  results: z.infer<typeof testResultsSchema>,
  root: string,
): readonly string[] {
  return results.flatMap(({ name, message, assertionResults }) => {
    const file = relative(root, name);
    const failed = assertionResults.filter(({ status }) => status === 'failed');
    if (failed.length === 0 && assertionResults.length === 0 && message !== '')
      return [`FAILED  ${file}`, ...brief(message)];
    return failed.flatMap(({ fullName, failureMessages }) => [
      `FAILED  ${file}: ${fullName}`,
      ...brief((failureMessages ?? []).join('\n')),
    ]);
  });
}

function brief(message: string): readonly string[] {
  const lines = stripVTControlCharacters(message)
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !line.includes('node_modules'));
  const shown = lines.slice(0, MAX_LINES_A_TEST).map((line) => `        ${line}`);
  return lines.length > shown.length ? [...shown, '        …'] : shown;
}
