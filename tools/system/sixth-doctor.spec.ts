import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  freePort,
  makeTemporaryFolder,
  startLeashed,
  startStage,
  waitUntil,
  waitUntilReady,
  type Leashed,
  type Stage,
  type TemporaryFolder,
} from '@starr/lab';
import { blindChecks, statuses, sweepInTime } from './sweep-answer.ts';
import { watchServices, type ServicesWatch } from './watch-services.ts';

const PROGRAM = fileURLToPath(new URL('sixth-doctor.ts', import.meta.url));
const PLAYBOOK = `
id: nobody-takes-letters
title: 'The worker takes no letters from {pile.about.name}'
match:
  pile: { finding: spool.backlog, measured: { waiting: { above: 2 } } }
path: { from: pile, to: [service] }
reflect:
  - Alert on the age of the oldest letter.
`;

jest.setTimeout(120_000); // a loaded machine is slow, not wrong

describe('a sixth doctor, outside the five', () => {
  let folder: TemporaryFolder;
  let stage: Stage;
  let watch: ServicesWatch;
  let sixth: Leashed | undefined;
  let port = 0;

  beforeAll(async () => {
    folder = await makeTemporaryFolder('sixth');
    port = await freePort();
    await Promise.all(['spool', 'playbooks'].map((name) => mkdir(join(folder.path, name))));
    stage = await startStage({
      more: {
        doctors: [{ name: 'spool-doctor', address: `127.0.0.1:${port}`, prefixes: ['spool.'] }],
        playbooks: join(folder.path, 'playbooks'),
      },
    });
    watch = await watchServices(stage.services, stage.backstage);
  }, 240_000);
  afterAll(async () => {
    await sixth?.stop();
    await stage.stop();
    await folder.remove();
  });

  const sweep = () => sweepInTime(stage.services);
  const letter = (name: string) => writeFile(join(folder.path, 'spool', name), '');

  it('is blind for being away as long as nobody starts it', async () => {
    const swept = await sweep();
    expect(swept.code).toBe(2);
    expect(blindChecks(swept)).toMatchObject([
      {
        diagnostic: 'spool.*',
        target: 'spool-doctor',
        why: 'unreachable',
        cure: 'start it: starr up does not, since it stands under doctors in starr.yaml',
      },
    ]);
  });

  it('is examined with the others as soon as it runs, and what it has no prefix for is dropped and said', async () => {
    const { stateDir } = stage.backstage;
    const spool = join(folder.path, 'spool');
    sixth = startLeashed({
      name: 'spool-doctor',
      command: process.execPath,
      args: ['--conditions=@starr/source', PROGRAM, spool, String(port), stateDir],
    });
    await waitUntilReady(
      sixth,
      { kind: 'line', matches: (line) => line.includes('"ready":"spool-doctor"') },
      30_000,
    );
    const swept = await waitUntil(
      async () => {
        const each = await sweep();
        return each.code === 0 ? each : undefined;
      },
      { what: 'it to be found', withinMs: 5000 }, // the orchestrator knocks a few times a second
    );
    expect(statuses(swept, 'spool.')).toEqual({ 'spool.backlog': 'healthy' });
    expect(statuses(swept)).not.toHaveProperty(['db.backlog']);
    expect(swept.stderr).toContain(
      'spool-doctor answered db.backlog, which its prefixes in starr.yaml do not allow; dropped',
    );
    expect(swept.answer.cost.map(({ target }) => target)).toContain('orders'); // the real db.* are there too
  });

  it('stands in the catalog, without what it may not have', async () => {
    const { stdout } = await stage.services.starr('catalog');
    expect(stdout).toContain('spool-doctor: letters');
    expect(stdout).toContain('spool.backlog');
    expect(stdout).not.toContain('db.backlog');
  });

  it('brings findings, and a playbook file in a folder makes a cause of them', async () => {
    for (const name of ['a', 'b', 'c']) await letter(name);
    const before = await sweep();
    expect(before.code).toBe(1);
    expect(before.answer.findings).toMatchObject([
      { diagnostic: 'spool.backlog', target: 'letters', says: '3 letters wait in letters' },
    ]);
    expect(before.answer.causes).toEqual([]);
    expect(before.answer.unexplained).toHaveLength(1);

    await writeFile(join(folder.path, 'playbooks', 'nobody-takes-letters.yaml'), PLAYBOOK);
    const after = await sweep();
    expect(after.answer.causes).toMatchObject([
      {
        playbook: 'nobody-takes-letters',
        standing: 'grounded',
        title: 'The worker takes no letters from letters',
        about: { kind: 'spool', name: 'letters' },
        reflect: ['Alert on the age of the oldest letter.'],
      },
    ]);
    expect(after.answer.causes[0]!.path.join(' ')).toContain('service worker');
    expect(after.answer.unexplained).toEqual([]);
    const checked = await stage.services.starr('playbook', 'check');
    expect(checked.code).toBe(0);
    expect(checked.stdout).toContain('nobody-takes-letters');
  });

  it('needs no change of the orchestrator, not even a restart', async () => {
    expect(await watch.troubles()).toEqual([]);
  });

  it('is blind when it is killed, and the others see', async () => {
    await sixth?.kill();
    const swept = await sweep();
    expect(blindChecks(swept)).toMatchObject([
      { diagnostic: 'spool.backlog', target: 'letters', why: 'unreachable' },
    ]);
    expect(new Set(Object.values(statuses(swept, 'db.', 'cache.', 'resilience.')))).toEqual(
      new Set(['healthy']),
    );
  });
});
