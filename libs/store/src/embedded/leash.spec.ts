import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { startLeashed } from './leash.ts';
import { isAlive, treeOf } from './process-tree.ts';
import { waitUntilReady } from './wait-until-ready.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

const LEASH = new URL('./leash.ts', import.meta.url).href;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'starr-leash-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** What the shell runs: itself, a child, and a child that has left the process group. */
const FAMILY = 'sleep 300 & setsid sleep 300 & echo ready; wait';

async function eventually(
  check: () => boolean | Promise<boolean>,
  withinMs = 20_000,
): Promise<void> {
  const giveUpAt = Date.now() + withinMs;
  while (!(await check())) {
    if (Date.now() > giveUpAt) throw new Error(`not within ${withinMs} ms: ${check.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A zombie that nobody has reaped still has a pid but does nothing any more. */
async function isGone(pid: number): Promise<boolean> {
  const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return state === undefined || state.includes(') Z ');
}

async function stateOf(pid: number): Promise<string | undefined> {
  return /\) (\w) /.exec(await readFile(`/proc/${pid}/stat`, 'utf8'))?.[1];
}

function family() {
  return startLeashed({ name: 'family', command: '/bin/sh', args: ['-c', FAMILY] });
}

async function wholeFamily(pid: number): Promise<number[]> {
  await eventually(() => treeOf(pid).length === 3);
  return treeOf(pid);
}

describe('a leashed process', () => {
  it('keeps its pid, its exit code and its last lines', async () => {
    const leashed = startLeashed({
      name: 'talker',
      command: '/bin/sh',
      args: ['-c', 'echo $$; echo oops >&2; exit 3'],
    });
    expect(await leashed.exited).toEqual({ code: 3, signal: null });
    expect(leashed.exit()).toEqual({ code: 3, signal: null });
    expect(leashed.tail().split('\n').sort()).toEqual([String(leashed.pid), 'oops'].sort());
  });

  it('keeps 200 lines however many are printed', async () => {
    const leashed = startLeashed({ name: 'talker', command: 'seq', args: ['1', '5000'] });
    await leashed.exited;
    expect(leashed.output.lines).toHaveLength(200);
    expect(leashed.tail(1)).toBe('5000');
  });

  it('says which program was not found', async () => {
    const leashed = startLeashed({ name: 'nothing', command: '/nonexistent/program' });
    expect((await leashed.exited).code).toBe(127);
    expect(leashed.tail()).toContain('/nonexistent/program');
  });

  it('stops when it is asked to', async () => {
    const leashed = startLeashed({ name: 'sleeper', command: 'sleep', args: ['300'] });
    expect(await leashed.stop()).toEqual({ code: null, signal: 'SIGTERM' });
    expect(await leashed.stop()).toEqual({ code: null, signal: 'SIGTERM' });
  });

  it('is killed when it does not answer the stop within the bound', async () => {
    const leashed = startLeashed({
      name: 'stubborn',
      command: '/bin/sh',
      args: ['-c', "trap '' TERM; echo ready; while :; do sleep 1; done"],
      stopWithinMs: 200,
    });
    await waitUntilReady(leashed, { kind: 'line', matches: (line) => line === 'ready' }, 5000);
    expect(await leashed.stop()).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('is stopped also while it is paused', async () => {
    const leashed = startLeashed({ name: 'sleeper', command: 'sleep', args: ['300'] });
    leashed.pause();
    expect(await leashed.stop()).toEqual({ code: null, signal: 'SIGTERM' });
  });

  it('is paused, resumed and killed with all its descendants, also those that left its group', async () => {
    const leashed = family();
    const pids = await wholeFamily(leashed.pid);
    leashed.pause();
    await eventually(async () => (await Promise.all(pids.map(stateOf))).every((s) => s === 'T'));
    leashed.resume();
    await eventually(async () => (await Promise.all(pids.map(stateOf))).every((s) => s === 'S'));
    await leashed.kill();
    for (const pid of pids) await eventually(() => isGone(pid));
  });

  it.each([
    ['that runs', 'none'],
    ['that is paused', 'pause'],
  ])(
    '%s ends with all its descendants and its folder when its owner is killed',
    async (_, then) => {
      const script = `
      import { startLeashed } from '${LEASH}';
      const leashed = startLeashed({ name: 'family', command: '/bin/sh',
        args: ['-c', ${JSON.stringify(FAMILY)}], orphanFolders: [${JSON.stringify(folder)}],
        onLine: () => { console.log(leashed.pid); if ('${then}' === 'pause') leashed.pause(); } });`;
      const owner = spawn(
        process.execPath,
        ['--conditions=@starr/source', '--input-type=module', '--eval', script],
        { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_OPTIONS: '' } },
      );
      const [chunk] = (await once(owner.stdout, 'data')) as [Buffer];
      const pids = await wholeFamily(Number(String(chunk).trim()));
      if (then === 'pause') {
        await eventually(async () =>
          (await Promise.all(pids.map(stateOf))).every((s) => s === 'T'),
        );
      }
      owner.kill('SIGKILL');
      for (const pid of pids) await eventually(() => isGone(pid));
      await eventually(() =>
        stat(folder).then(
          () => false,
          () => true,
        ),
      );
    },
  );

  it('gets the signal for orphans first, so that it can tidy up', async () => {
    const mark = join(folder, 'tidied');
    const family = `trap 'echo yes > ${mark}; exit 0' QUIT; echo ready; while :; do sleep 0.05; done`;
    const script = `
      import { startLeashed } from '${LEASH}';
      const leashed = startLeashed({ name: 'tidy', command: '/bin/sh', orphanSignal: 'SIGQUIT',
        args: ['-c', ${JSON.stringify(family)}], onLine: () => console.log(leashed.pid) });`;
    const owner = spawn(
      process.execPath,
      ['--conditions=@starr/source', '--input-type=module', '--eval', script],
      { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_OPTIONS: '' } },
    );
    const [chunk] = (await once(owner.stdout, 'data')) as [Buffer];
    owner.kill('SIGKILL');
    await eventually(() => isGone(Number(String(chunk).trim())));
    expect(await readFile(mark, 'utf8')).toBe('yes\n');
  });
});

describe('waiting until a process is ready', () => {
  it('ends with its last lines when it ends first', async () => {
    const leashed = startLeashed({
      name: 'brief',
      command: '/bin/sh',
      args: ['-c', 'echo no disk; exit 7'],
    });
    await expect(
      waitUntilReady(leashed, { kind: 'line', matches: () => false }, 5000),
    ).rejects.toThrow(/brief ended at once \(exit code 7\); its last lines:\nno disk/);
  });

  it('kills it and says so when it is late', async () => {
    const leashed = startLeashed({ name: 'slow', command: 'sleep', args: ['300'] });
    await expect(
      waitUntilReady(leashed, { kind: 'probe', probe: () => Promise.reject(new Error('no')) }, 150),
    ).rejects.toThrow('slow was not ready after 150 ms');
    expect(isAlive(leashed.pid)).toBe(false);
  });

  it('sees a line that was printed before anybody waited', async () => {
    const leashed = startLeashed({
      name: 'quick',
      command: '/bin/sh',
      args: ['-c', 'echo ready; sleep 300'],
    });
    await eventually(() => leashed.output.lines.length > 0);
    await waitUntilReady(leashed, { kind: 'line', matches: (line) => line === 'ready' }, 100);
    await leashed.kill();
  });
});
