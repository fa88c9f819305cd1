import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';
import { houseRoot, readDocPages } from './test/doc-examples.ts';

const run = promisify(execFile);
const library = join(houseRoot, 'libs/policies');
const rivals = ['opossum', 'cockatiel', 'p-queue', 'bullmq', 'pg', 'ioredis'];
const examples = (await readDocPages()).flatMap((page) => page.examples);

/** The Node of the machine, before that of this house, which is newer. */
const elsewhere = (process.env['PATH'] ?? '')
  .split(delimiter)
  .filter((folder) => !folder.includes('node_modules'))
  .join(delimiter);
const nodeOfMachine = await run('node', ['-p', 'process.execPath + " " + process.versions.node'], {
  env: { PATH: elsewhere },
}).then(
  ({ stdout }) => stdout.trim().split(' '),
  () => [process.execPath, process.versions.node],
);
const [node = process.execPath, version = ''] = nodeOfMachine;

let folder: string;
let app: string;
let packed: string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'starr-package-'));
  app = join(folder, 'app');
  packed = await pack(join(folder, 'package'));
  await install(app);
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** As `npm publish` would: what is compiled, and nothing else. */
async function pack(source: string): Promise<string[]> {
  await mkdir(source);
  const compiler = join(houseRoot, 'node_modules/typescript-7/bin/tsc');
  await run(process.execPath, [
    ...[compiler, '-p', join(library, 'tsconfig.json'), '--outDir', join(source, 'dist')],
    ...['--tsBuildInfoFile', join(folder, 'tsbuildinfo')],
  ]);
  for (const file of ['package.json', 'README.md']) {
    await cp(join(library, file), join(source, file));
  }
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: source,
    env: { PATH: elsewhere, HOME: folder },
  });
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  return files.map(({ path }) => path);
}

/** Alone: only its one dependency is beside it, and for the examples what they adapt. */
async function install(into: string): Promise<void> {
  const modules = join(into, 'node_modules');
  await mkdir(join(modules, '@starr/policies'), { recursive: true });
  await run('tar', [
    ...['-xzf', join(folder, 'starr-policies-0.1.0.tgz')],
    ...['-C', join(modules, '@starr/policies'), '--strip-components=1'],
  ]);
  for (const name of ['@opentelemetry', ...rivals]) {
    await symlink(join(houseRoot, 'node_modules', name), join(modules, name));
  }
  await writeFile(join(into, 'package.json'), JSON.stringify({ type: 'module' }));
}

describe('the package as it is published', () => {
  it('holds compiled code with types, and no spec, no test, no rival', () => {
    expect(packed).toEqual(
      expect.arrayContaining(['README.md', 'dist/index.js', 'dist/index.d.ts']),
    );
    const strange = packed.filter((path) => !/^(package\.json|README\.md|dist\/.*)$/.test(path));
    const unwanted = packed.filter((path) => /spec|\/test\/|\/rivals\//.test(path));
    expect([...strange, ...unwanted]).toEqual([]);
  });

  it('imports nothing but @opentelemetry/api, the async context of Node and its own files', async () => {
    const scripts = packed.filter((path) => path.endsWith('.js'));
    const texts = await Promise.all(
      scripts.map((path) => readFile(join(app, 'node_modules/@starr/policies', path), 'utf8')),
    );
    const imported = texts.flatMap((text) =>
      [...text.matchAll(/(?:from|import)\s*\(?['"]([^'"]+)['"]/g)].map(([, name]) => name ?? ''),
    );
    const others = new Set(imported.filter((name) => !name.startsWith('.')));
    expect([...others].sort()).toEqual(['@opentelemetry/api', 'node:async_hooks']);
  });

  it.each(examples.map(({ says }) => says))(
    `runs the example %s on Node ${version}`,
    async (says) => {
      const { text } = examples.find((example) => example.says === says)!;
      const file = join(app, `${says}.js`);
      const stdin = { contents: text, loader: 'ts', resolveDir: app } as const;
      await build({ stdin, outfile: file, format: 'esm', target: 'node20', logLevel: 'silent' });
      await run(node, [file], { env: { PATH: elsewhere }, timeout: 30_000 });
    },
  );
});

describe('what a bundler keeps of it', () => {
  /** By file of the package: bytes in the bundle. */
  async function keeps(contents: string): Promise<Map<string, number>> {
    const { metafile } = await build({
      stdin: { contents, resolveDir: app, loader: 'js' },
      bundle: true,
      minify: true,
      write: false,
      metafile: true,
      format: 'esm',
      platform: 'node',
      external: ['@opentelemetry/api'],
      absWorkingDir: app,
      logLevel: 'silent',
    });
    const inputs = Object.values(metafile.outputs).flatMap((output) =>
      Object.entries(output.inputs),
    );
    return new Map(
      inputs
        .filter(([path, { bytesInOutput }]) => path.includes('dist/') && bytesInOutput > 0)
        .map(([path, { bytesInOutput }]) => [path.split('dist/')[1] ?? '', bytesInOutput]),
    );
  }
  const total = (kept: Map<string, number>) => [...kept.values()].reduce((sum, n) => sum + n, 0);

  it('is nothing of an import that nobody uses', async () => {
    await expect(keeps(`import '@starr/policies';`)).resolves.toEqual(new Map());
    await expect(keeps(`import { WorkQueue } from '@starr/policies';`)).resolves.toEqual(new Map());
  });

  it.each([
    ['Timeout', ['breaker.js', 'work-queue.js', 'retry.js', 'rate-limit.js', 'fallback.js']],
    ['Breaker', ['work-queue.js', 'rate-limit.js', 'fallback.js', 'interlocks.js', 'retry.js']],
    ['WorkQueue', ['breaker.js', 'breaker-automaton.js', 'fallback.js', 'watch-pool.js']],
    ['RateLimit', ['breaker.js', 'work-queue.js', 'timer-wheel.js', 'fallback.js']],
  ])('of %s is that and what it needs', async (name, gone) => {
    const kept = await keeps(`import { ${name} } from '@starr/policies'; console.log(${name});`);
    expect(gone.filter((file) => kept.has(file))).toEqual([]);
    const all = await keeps(`import * as all from '@starr/policies'; console.log(all);`);
    expect(total(kept)).toBeGreaterThan(0);
    expect(total(kept)).toBeLessThan(total(all) / 2);
  });
});
