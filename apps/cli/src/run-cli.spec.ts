import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runCli } from './run-cli.ts';
import type { Terminal } from './terminal.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'starr-cli-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** In a pipe: nothing moves and nobody is asked. */
async function starr(...args: readonly string[]) {
  const out: string[] = [];
  const notes: string[] = [];
  const terminal: Terminal = {
    isInteractive: false,
    isColoured: false,
    print: (text) => void out.push(text),
    note: (text) => void notes.push(text),
    progress: () => undefined,
    ask: () => Promise.reject(new Error('nobody is there to answer')),
  };
  const code = await runCli({ args, env: {}, terminal, signal: new AbortController().signal });
  return { code, out: out.join('\n'), notes: notes.join('\n') };
}

async function configFile(text: string): Promise<string> {
  const file = join(folder, 'starr.yaml');
  await writeFile(file, text);
  return file;
}

describe('the starr command', () => {
  it('shows its help and ends with 0', async () => {
    const { code, out } = await starr('--help');
    expect(code).toBe(0);
    for (const name of [
      'up',
      'sweep',
      'plan',
      'apply',
      'undo',
      'show',
      'report',
      'health',
      'catalog',
      'trace',
      'db',
      'grants',
      'accept',
      'playbook',
      'token',
    ]) {
      expect(out).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'));
    }
  });

  it.each([
    [['sweep', '--fail-on', 'x'], 'Allowed choices are finding, critical, never'],
    [['sweeep'], "unknown command 'sweeep'"],
    [['sweep', '--nope'], "unknown option '--nope'"],
    [['accept', 'db.connection-use'], "required option '--target <name>' not specified"],
    [['plan'], "missing required argument 'what'"],
  ])('ends %j with 3 and says what is wrong', async (args, says) => {
    const { code, notes } = await starr(...args);
    expect(code).toBe(3);
    expect(notes).toContain(says);
  });

  it('names the file that it cannot read', async () => {
    const { code, notes } = await starr('--config', join(folder, 'absent.yaml'), 'sweep');
    expect(code).toBe(3);
    expect(notes).toContain('[CONFIG_UNREADABLE]');
    expect(notes).toContain('absent.yaml cannot be read: ENOENT');
  });

  it('names file, line, key and what is allowed in a malformed starr.yaml', async () => {
    const file = await configFile(
      'environment: prod\ntargets:\n  postgres:\n    - name: orders\n      uri: x\n',
    );
    const { code, notes } = await starr('--config', file, 'up');
    expect(code).toBe(3);
    expect(notes).toContain(
      `${file}:5:12: targets.postgres[0].uri is not known; allowed: name, url, password`,
    );
  });

  it('says how the token comes about when there is none yet', async () => {
    const file = await configFile(`environment: prod\nstateDir: ${folder}/none\n`);
    const { code, notes } = await starr('--config', file, 'token');
    expect(code).toBe(3);
    expect(notes).toContain('starr up makes it');
  });
});
