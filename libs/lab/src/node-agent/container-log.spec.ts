import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createContainerLog, type ContainerLog, type LogQuery } from './container-log.ts';

const ALL: LogQuery = { follow: false, timestamps: false };

const textOf = async (log: ContainerLog, query: LogQuery): Promise<string> => {
  let text = '';
  for await (const piece of log.read(query, new AbortController().signal)) text += piece.toString();
  return text;
};

describe('the log of a container', () => {
  let folder = '';
  let path = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'starr-log-'));
    path = join(folder, 'pod', '0.log');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const written = async (...lines: string[]): Promise<ContainerLog> => {
    const log = createContainerLog(path);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await writeFile(path, lines.join(''));
    return log;
  };
  const line = (second: number, text: string): string =>
    `2026-01-01T00:00:0${second}.000000000Z stdout F ${text}\n`;

  it('keeps both streams in the order of their lines', async () => {
    const log = createContainerLog(path);
    log.append('stdout', 'one');
    log.append('stderr', 'bad');
    log.append('stdout', 'two');
    await log.close();
    expect(await textOf(log, ALL)).toBe('one\nbad\ntwo\n');
  });

  it.each([
    [0, ''],
    [1, 'c\n'],
    [2, 'b\nc\n'],
    [3, 'a\nb\nc\n'],
    [9, 'a\nb\nc\n'],
  ])('tails the last %d lines', async (tailLines, expected) => {
    const log = await written(line(1, 'a'), line(2, 'b'), line(3, 'c'));
    expect(await textOf(log, { ...ALL, tailLines })).toBe(expected);
  });

  it('tails across the blocks in which it reads backwards', async () => {
    const wide = 'x'.repeat(50_000);
    const log = await written(line(1, `1${wide}`), line(2, `2${wide}`), line(3, `3${wide}`));
    expect(await textOf(log, { ...ALL, tailLines: 2 })).toBe(`2${wide}\n3${wide}\n`);
  });

  it('leaves out what is older than asked for, and keeps that very moment', async () => {
    const log = await written(line(1, 'a'), line(2, 'b'), line(3, 'c'));
    const since = new Date('2026-01-01T00:00:02Z');
    expect(await textOf(log, { ...ALL, since })).toBe('b\nc\n');
  });

  it('puts the time in front when asked, and stops at the byte asked for', async () => {
    const log = await written(line(1, 'abc'), line(2, 'def'));
    expect(await textOf(log, { ...ALL, timestamps: true, tailLines: 1 })).toBe(
      '2026-01-01T00:00:02.000000000Z def\n',
    );
    expect(await textOf(log, { ...ALL, limitBytes: 6 })).toBe('abc\nde');
  });

  it('follows until the run is over, and loses nothing of its last moment', async () => {
    const log = createContainerLog(path);
    log.append('stdout', 'before');
    await new Promise((resolve) => setTimeout(resolve, 20));
    const reading = textOf(log, { ...ALL, follow: true });
    await new Promise((resolve) => setTimeout(resolve, 20));
    log.append('stdout', 'after');
    await log.close();
    expect(await reading).toBe('before\nafter\n');
  });

  it('lets go of a follower that went away', async () => {
    const log = createContainerLog(path);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const gone = new AbortController();
    setTimeout(() => {
      gone.abort();
    }, 20);
    for await (const piece of log.read({ ...ALL, follow: true }, gone.signal))
      expect(piece).toBe('');
    await log.close();
  });
});
