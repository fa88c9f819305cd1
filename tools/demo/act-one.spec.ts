import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { installRedis, type Stage } from '@starr/lab';
import { playActOne, type ActResult } from './act-one.ts';
import type { Narrator } from './narrator.ts';

const redis = await installRedis();
const onRedis = redis.kind === 'missing' ? describe.skip : describe;

onRedis(`the first act${redis.kind === 'missing' ? ` (skipped: ${redis.why})` : ''}`, () => {
  const said: { line: string; output: string }[] = [];
  const narrator: Narrator = {
    act: () => undefined,
    step: () => undefined,
    setup: () => undefined,
    command: (line, output) => void said.push({ line, output }),
  };
  const stages: Stage[] = [];
  let result: ActResult;

  beforeAll(async () => {
    result = await playActOne(narrator, (stage) => void stages.push(stage));
  }, 240_000);
  afterAll(async () => {
    await Promise.all(stages.map((stage) => stage.stop()));
  }, 60_000);

  it('names the truth first, and its relief is established', () => {
    expect(result).toEqual({ named: true, established: true });
  });

  it('prints what the README shows', async () => {
    const readme = await readFile('README.md', 'utf8');
    const shown = /<!-- transcript[^>]*-->\s*```\n\$ starr sweep\n([\s\S]*?)```/.exec(readme)?.[1];
    const sweeps = said.filter(({ line }) => line === 'starr sweep').map(({ output }) => output);
    expect(shown).toBeDefined();
    expect(facts(sweeps.at(-1) ?? '')).toEqual(facts(shown ?? ''));
  });

  it('leaves a record that says what was not looked at', () => {
    const report = said.find(({ line }) => line.startsWith('starr report'))?.output ?? '';
    for (const heading of ['Situation', 'Task', 'Action', 'Result', 'Reflection'])
      expect(report).toContain(`## ${heading}`);
    expect(report).toContain('cache.memory on sessions: denied');
  });
});

/**
 * What does not vary from run to run: numbers, moments and addresses become #, lines that were wrapped are joined. What
 * follows from the leak (also), and what the look cost, depends on the second in which it was taken.
 */
function facts(transcript: string): string[] {
  return transcript
    .replace(/\n {10,}(?=\S)/g, ' ')
    .split('\n')
    .filter((line) => !/^(cost|asleep|INC-)|^ {2}also |^ {6,}\S/.test(line))
    .map((line) =>
      line
        .replace(/\d+(\.\d+)?( ms| s| min)?/g, '#')
        .replace(/FULL (NOW|IN ~#)/, 'FULL')
        .replace(/#[.:#]*/g, '#')
        .replace(/\s+/g, ' ')
        .trim(),
    )
    .filter((line) => line !== '');
}
