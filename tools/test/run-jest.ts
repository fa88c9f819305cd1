import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { failedTests, testResultsSchema } from './failed-tests.ts';
import { runCommand } from './run-command.ts';
import type { Tally } from './tally.ts';

export interface JestOptions {
  readonly patterns: readonly string[];
  readonly ci: boolean;
  readonly workers: number;
}

const summarySchema = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  numRuntimeErrorTestSuites: z.number(),
  testResults: testResultsSchema,
});

/** All specs of all projects in one jest; the numbers are its own. A suite that could not run counts as a failure. */
export async function runJest({ patterns, ci, workers }: JestOptions): Promise<Tally> {
  const file = join(await mkdtemp(join(tmpdir(), 'starr-jest-')), 'result.json');
  const args = [
    '--json',
    `--outputFile=${file}`,
    `--maxWorkers=${workers}`,
    ...(ci ? ['--ci'] : []),
    ...patterns,
  ];
  const env = { NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning' };
  const { code } = await runCommand('jest', [...args, '--reporters=default'], { show: true, env });
  const summary = await readSummary(file);
  if (!summary) return { passed: 0, failed: 1, skipped: 0 };
  for (const line of failedTests(summary.testResults, process.cwd())) console.log(line);
  const broken = summary.numRuntimeErrorTestSuites;
  const failed = summary.numFailedTests + broken;
  // jest may fail without a failed test (an open handle, a bad option): never let that pass
  return {
    passed: summary.numPassedTests,
    failed: failed === 0 && code !== 0 ? 1 : failed,
    skipped: summary.numPendingTests + summary.numTodoTests,
  };
}

async function readSummary(file: string): Promise<z.infer<typeof summarySchema> | undefined> {
  try {
    return summarySchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return undefined; // jest ended before it could write it; its own output says why
  }
}
