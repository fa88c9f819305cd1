import { cp, mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { makeTemporaryFolder } from '@starr/lab';
import { z } from 'zod';
import { runCommand } from '../test/run-command.ts';
import type { MutationPart } from './mutation-plan.ts';

const CONCURRENCY = 2;
const MUTANT_TIMEOUT_MS = 5000;
/** The same runs for each mutant and each time: a mutant must not live or die by the draw. */
const MODEL_SEED = 1;

const reportSchema = z.object({
  files: z.record(
    z.string(),
    z.object({
      mutants: z.array(
        z.object({
          mutatorName: z.string(),
          replacement: z.string().optional(),
          status: z.enum([
            'Killed',
            'Survived',
            'NoCoverage',
            'Timeout',
            'CompileError',
            'RuntimeError',
            'Ignored',
            'Pending',
          ]),
          location: z.object({ start: z.object({ line: z.number(), column: z.number() }) }),
        }),
      ),
    }),
  ),
});

export interface Mutant {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly mutator: string;
  readonly replacement: string;
  readonly status: z.infer<typeof reportSchema>['files'][string]['mutants'][number]['status'];
}

/**
 * Mutates a copy, so that a run that is ended leaves the working tree as it was. `lines` narrows the mutation:
 * `breaker-automaton.ts:40-80`.
 */
export async function runStryker(
  { files, specs, modelRuns = 0 }: MutationPart,
  options: { readonly lines?: readonly string[]; readonly show: boolean },
): Promise<readonly Mutant[]> {
  const folder = await makeTemporaryFolder('mutation');
  try {
    await prepare(folder.path, specs, options.lines ?? files);
    await shortenModelRuns(join(folder.path, 'src'), modelRuns);
    const { output } = await runCommand(
      process.execPath,
      [resolve('node_modules/@stryker-mutator/core/bin/stryker.js'), 'run', 'stryker.json'],
      { show: options.show, cwd: folder.path, env: { NODE_OPTIONS: '' } },
    );
    const text = await readFile(join(folder.path, 'mutation.json'), 'utf8').catch(() => undefined);
    if (text === undefined) throw new Error(`Stryker wrote no report:\n${output}`);
    return mutantsOf(reportSchema.parse(JSON.parse(text)));
  } finally {
    await folder.remove();
  }
}

function mutantsOf({ files }: z.infer<typeof reportSchema>): readonly Mutant[] {
  return Object.entries(files).flatMap(([file, { mutants }]) =>
    mutants.map(({ mutatorName, replacement, status, location }) => ({
      file: file.replace(/^src\//, ''),
      line: location.start.line,
      column: location.start.column,
      mutator: mutatorName,
      replacement: replacement ?? '',
      status,
    })),
  );
}

async function prepare(
  folder: string,
  specs: readonly string[],
  mutate: readonly string[],
): Promise<void> {
  await mkdir(join(folder, 'src'));
  await cp('libs/policies/src', join(folder, 'src'), { recursive: true });
  await symlink(resolve('node_modules'), join(folder, 'node_modules'));
  const jest = {
    testEnvironment: 'node',
    rootDir: '.',
    testMatch: specs.map((pattern) => `<rootDir>/src/${pattern}`),
    extensionsToTreatAsEsm: ['.ts'],
    transform: {},
    injectGlobals: false,
    restoreMocks: true,
  };
  const stryker = {
    testRunner: 'jest',
    jest: { projectType: 'custom', config: jest, enableFindRelatedTests: false },
    testRunnerNodeArgs: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
    coverageAnalysis: 'perTest',
    mutate: mutate.map((file) => `src/${file}`),
    concurrency: CONCURRENCY,
    timeoutMS: MUTANT_TIMEOUT_MS,
    reporters: ['json', 'progress-append-only'],
    jsonReporter: { fileName: 'mutation.json' },
    allowConsoleColors: false,
    // a module of the specs' own is mutated too, or tsconfig rewritten: neither is here
    disableTypeChecks: false,
  };
  await writeFile(join(folder, 'stryker.json'), JSON.stringify(stryker, undefined, 2));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module', private: true }));
}

async function shortenModelRuns(folder: string, runs: number): Promise<void> {
  const specs = (await readdir(folder)).filter((name) => name.endsWith('.model.spec.ts'));
  for (const spec of specs) {
    const text = await readFile(join(folder, spec), 'utf8');
    await writeFile(
      join(folder, spec),
      text.replaceAll(/numRuns: [^,}]+/g, `seed: ${MODEL_SEED}, numRuns: ${runs} `),
    );
  }
}
