import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as adapters from './adapters/index.ts';
import * as library from './index.ts';
import { houseRoot, readDocPages } from './test/doc-examples.ts';

const run = promisify(execFile);
const pages = await readDocPages();
const examples = pages.flatMap((page) => page.examples);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'starr-examples-'));
  // found from there as from an application beside the library
  await symlink(join(houseRoot, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  for (const { says, text } of examples) await writeFile(join(folder, `${says}.ts`), text);
  const extended = join(houseRoot, 'tsconfig.check.json');
  await writeFile(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: extended, include: ['*.ts'] }),
  );
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('the examples of docs/policies', () => {
  it('compile under the rules of this house', async () => {
    const tsc = join(houseRoot, 'node_modules/typescript-7/bin/tsc');
    const compiled = await run(process.execPath, [tsc, '-p', folder]).catch(
      (error: unknown) => error,
    );
    expect(compiled).toMatchObject({ stdout: '' });
  });

  it.each(examples.map(({ says }) => says))('%s is true', async (says) => {
    const flags = ['--conditions=@starr/source', '--disable-warning=ExperimentalWarning'];
    await run(process.execPath, [...flags, join(folder, `${says}.ts`)], {
      env: { ...process.env, NODE_OPTIONS: '' },
      timeout: 30_000,
    });
  });

  it.each([
    ['@starr/policies', library],
    ['@starr/policies/adapters', adapters],
  ])('stand on pages that name everything that %s exports', (_name, exported) => {
    const text = pages.map((page) => page.text).join('\n');
    expect(Object.keys(exported).filter((name) => !text.includes(name))).toEqual([]);
  });

  it('are on pages that the overview links, and no others', () => {
    const overview = pages.find(({ file }) => file === 'README.md')?.text ?? '';
    const linked = [...overview.matchAll(/\]\(([a-z-]+\.md)\)/g)].map(([, page]) => page);
    const files = pages.map(({ file }) => file).filter((file) => file !== 'README.md');
    expect(linked.toSorted()).toEqual(files.toSorted());
  });
});
