import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Compilation, compileGo } from './compile-go.ts';
import { findGoToolchain } from './go-toolchain.ts';

const run = promisify(execFile);
const here = await findGoToolchain(tmpdir());
const onGo = here.kind === 'present' ? describe : describe.skip;
const because = here.kind === 'present' ? '' : ` (skipped: ${here.why})`;
const never = new AbortController().signal;

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'starr-go-'));
});
afterEach(() => rm(folder, { recursive: true }));

onGo(`a Go program of the lab${because}`, () => {
  const module = async (source: string): Promise<Compilation> => {
    const main = join(folder, 'module', 'cmd', 'v3');
    await mkdir(main, { recursive: true });
    await writeFile(join(folder, 'module', 'go.mod'), 'module example.org/it\n\ngo 1.26.0\n');
    // Go's own cache must not know it: a program that is not compiled again tells of nothing.
    await writeFile(join(main, 'main.go'), `// ${randomUUID()}\n${source}`);
    const outputFolder = join(folder, 'bin');
    await mkdir(outputFolder);
    return {
      moduleFolder: join(folder, 'module'),
      programs: { 'example.org/it/cmd/v3': 'hello' },
      linkerFlags: '-s -w -X main.word=there',
      outputFolder,
    };
  };

  it('is compiled, named and told of', async () => {
    const compilation = await module(
      'package main\n\nvar word = "nobody"\n\nfunc main() { println("hello " + word) }\n',
    );
    const steps: string[] = [];
    await compileGo(
      compilation,
      (step, done, total) => steps.push(`${step} ${done}/${total > 0}`),
      never,
    );
    expect(await readdir(compilation.outputFolder)).toEqual(['hello']);
    expect((await run(join(compilation.outputFolder, 'hello'))).stderr).toBe('hello there\n');
    expect(steps.at(-1)).toMatch(/^compiling \d+\/true$/);
  }, 120_000);

  it('that is wrong is refused in the words of the compiler', async () => {
    const compilation = await module('package main\n\nfunc main() { nothing() }\n');
    await expect(compileGo(compilation, () => undefined, never)).rejects.toThrow(
      /go build in .* failed; its last lines:[^]*undefined: nothing/,
    );
  }, 120_000);

  it('is not compiled any further once the signal aborts', async () => {
    const compilation = await module('package main\n\nfunc main() {}\n');
    await expect(compileGo(compilation, () => undefined, AbortSignal.abort())).rejects.toThrow();
    expect(await readdir(compilation.outputFolder)).toEqual([]);
  });
});

describe('the Go toolchain', () => {
  const withGo = async (script: string): Promise<NodeJS.ProcessEnv> => {
    await writeFile(join(folder, 'go'), `#!/bin/sh\n${script}\n`);
    await chmod(join(folder, 'go'), 0o755);
    return { PATH: folder };
  };

  it('that is not there is missed plainly', async () => {
    expect(await findGoToolchain(folder, { PATH: folder })).toEqual({
      kind: 'missing',
      why: expect.stringContaining('no Go toolchain: Go 1.26 or newer is needed'),
    });
  });

  it.each([
    ['go1.25.9', 'missing'],
    ['go1.26.0', 'present'],
    ['go1.27rc1', 'present'],
    ['go2.0', 'present'],
    ['devel', 'missing'],
  ])('%s is %s', async (version, kind) => {
    const env = await withGo(`echo ${version}`);
    expect(await findGoToolchain(folder, env)).toMatchObject({ kind });
  });

  it('that may not fetch a newer one tells why', async () => {
    const env = await withGo('echo "go.mod requires go >= 1.26.0" >&2; exit 1');
    expect(await findGoToolchain(folder, env)).toEqual({
      kind: 'missing',
      why: expect.stringContaining('go.mod requires go >= 1.26.0'),
    });
  });
});
