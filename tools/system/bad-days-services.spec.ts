import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { statusOf } from '@starr/kernel';
import {
  isAlive,
  makeTemporaryFolder,
  prepareBackstage,
  runStarr,
  stageYamlText,
  startPostgres,
  startStage,
  starrArgs,
  waitUntil,
  type LabPostgres,
  type Stage,
} from '@starr/lab';
import { postgresCatalog } from '@starr/postgres';
import type { OrchestratorClient, SweepEvent } from '@starr/wire';
import { eventsOf, orchestratorOf, sweepEvents } from './orchestrator-of.ts';
import { sweepInTime } from './sweep-answer.ts';
import { complaints } from './watch-services.ts';

/** A sweep that waits for a patient is in its middle for about two seconds. */
const IN_THE_MIDDLE_MS = 300;
const ANSWER_WITHIN_MS = 5000;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

jest.setTimeout(120_000); // a loaded machine is slow, not wrong

describe('on a bad day of the services', () => {
  let store: LabPostgres;
  let stage: Stage;
  let client: OrchestratorClient;

  beforeAll(async () => {
    store = await startPostgres();
    const folder = await makeTemporaryFolder('store-url');
    const urlFile = join(folder.path, 'url');
    await writeFile(urlFile, store.superuserUrl, { mode: 0o600 });
    stage = await startStage({ more: { store: { url: { file: urlFile } } } });
    client = orchestratorOf(stage.backstage);
    await sweepEvents(client);
  }, 240_000);
  afterAll(async () => {
    client.close();
    await stage.stop();
    await store.stop();
  });

  const statuses = (events: readonly SweepEvent[], prefix: string) =>
    Object.fromEntries(
      eventsOf(events, 'check')
        .filter(({ result }) => result.diagnostic.startsWith(prefix))
        .map(({ result }) => [result.diagnostic, statusOf(result.verdict)]),
    );
  const metric = async (name: string) => {
    const url = `http://127.0.0.1:${stage.backstage.ports.http}/metrics`;
    const text = await (await fetch(url)).text();
    return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
  };
  const inTime = async <T>(work: Promise<T>): Promise<T> => {
    const startedMs = performance.now();
    const result = await work;
    expect(performance.now() - startedMs).toBeLessThan(ANSWER_WITHIN_MS);
    return result;
  };
  const expectNoComplaints = async () => {
    expect(await complaints(join(stage.backstage.stateDir, 'log'))).toEqual([]);
  };

  it('a good day: a sweep is recorded', async () => {
    const events = await inTime(sweepEvents(client));
    expect(eventsOf(events, 'ended')).toMatchObject([{ recorded: true }]);
    expect(eventsOf(events, 'notice')).toEqual([]);
  });

  it('the store is killed in the middle of a sweep: it goes on, unrecorded, and says so', async () => {
    stage.redis.pause(); // holds the sweep in its middle
    try {
      const sweeping = inTime(
        sweepEvents(client, () => setTimeout(() => void store.kill(), IN_THE_MIDDLE_MS)),
      );
      const events = await sweeping;
      expect(eventsOf(events, 'notice').map(({ says }) => says)).toEqual([
        'the store is away: this sweep is not recorded',
      ]);
      expect(eventsOf(events, 'answer')).toHaveLength(1);
      expect(eventsOf(events, 'ended')).toMatchObject([{ recorded: false }]);
      expect(new Set(Object.values(statuses(events, 'db.')))).toEqual(new Set(['healthy']));
    } finally {
      stage.redis.resume();
    }
    const away = await sweepInTime(stage.services);
    expect(away.code).toBe(0); // what is configured was seen
    expect(away.stderr).toContain('the store is away: this sweep is not recorded');
    expect(away.stderr).toContain('accepted states are not known, nothing is silenced');
    await store.restart();
    const again = await inTime(sweepEvents(client));
    expect(eventsOf(again, 'ended')).toMatchObject([{ recorded: true }]);
    await expectNoComplaints();
  });

  it('a doctor is killed in the middle of a sweep: its checks are blind and the rest is as usual; starr up brings it back', async () => {
    const before = (await stage.services.pids())['db-doctor']!;
    stage.postgres.pause();
    try {
      const events = await inTime(
        sweepEvents(client, () =>
          setTimeout(() => process.kill(before, 'SIGKILL'), IN_THE_MIDDLE_MS),
        ),
      );
      const results = eventsOf(events, 'check').map(({ result }) => result);
      const lost = results.filter(({ diagnostic }) => diagnostic.startsWith('db.'));
      expect(lost).toHaveLength(postgresCatalog.diagnostics.length);
      for (const { verdict } of lost) {
        expect(verdict.blind).toEqual([
          {
            kind: 'blind',
            why: 'unreachable',
            detail: expect.stringMatching(/^db-doctor at 127\.0\.0\.1:\d+ went away: /),
            cure: 'start it: starr up',
          },
        ]);
      }
      expect(new Set(Object.values(statuses(events, 'cache.')))).toEqual(new Set(['healthy']));
      expect(new Set(Object.values(statuses(events, 'resilience.')))).toEqual(new Set(['healthy']));
    } finally {
      stage.postgres.resume();
    }
    const after = await waitUntil(
      async () => {
        const now = (await stage.services.pids())['db-doctor'];
        return now === before ? undefined : now;
      },
      { what: 'starr up to start db-doctor again', withinMs: 30_000 },
    );
    expect(isAlive(after)).toBe(true);
    const next = await waitUntil(
      async () => {
        const events = await inTime(sweepEvents(client));
        return statuses(events, 'db.')['db.connection-use'] === 'blind' ? undefined : events;
      },
      { what: 'it to be found again', withinMs: 5000 }, // the orchestrator knocks a few times a second
    );
    expect(new Set(Object.values(statuses(next, 'db.')))).toEqual(new Set(['healthy']));
    await expectNoComplaints();
  });

  it('the client is killed in the middle of a sweep: the run ends, and nothing of it stays on the patient', async () => {
    stage.postgres.pause();
    try {
      // a sweep that met the end of a sample's wait is over at once: then it was not caught in the middle
      for (let attempt = 1; !(await isCaughtInTheMiddle()); attempt += 1)
        if (attempt === 5)
          throw new Error('five sweeps were over before their client could be killed');
    } finally {
      stage.postgres.resume();
    }
    const left = await waitUntil(
      async () => {
        const rows = await stage.postgres.query(
          `SELECT count(*)::int AS sessions, (count(*) FILTER (WHERE state <> 'idle'))::int AS busy
             FROM pg_stat_activity WHERE application_name = 'starr'`,
        );
        return Number(rows[0]?.['busy']) === 0 ? rows[0] : undefined;
      },
      { what: 'its statements to end', withinMs: ANSWER_WITHIN_MS },
    );
    expect(Number(left['sessions'])).toBeLessThanOrEqual(2); // one that looks, one that acts
    const next = await inTime(sweepEvents(client));
    expect(new Set(Object.values(statuses(next, 'db.')))).toEqual(new Set(['healthy']));
    await expectNoComplaints();
  });

  /** Kills the client of a sweep that runs. False: somebody heard its answer before. */
  async function isCaughtInTheMiddle(): Promise<boolean> {
    const totalBefore = await metric('starr_sweeps_total');
    const command = spawn(
      process.execPath,
      [...starrArgs(['--config', stage.backstage.configPath, 'sweep'])],
      { stdio: 'ignore' },
    );
    const ended = once(command, 'exit');
    await Promise.race([
      ended,
      waitUntil(async () => ((await metric('starr_sweeps_running')) === 1 ? true : undefined), {
        what: 'the sweep to run',
        withinMs: 20_000,
      }),
    ]);
    command.kill('SIGKILL');
    await ended;
    await waitUntil(async () => ((await metric('starr_sweeps_running')) === 0 ? true : undefined), {
      what: 'the sweep to end with its client',
      withinMs: 1500,
    });
    return (await metric('starr_sweeps_total')) === totalBefore; // nobody heard an answer
  }

  it('thirty sweeps asked for at once share one run, and the patient feels one', async () => {
    const clients = Array.from({ length: 30 }, () => orchestratorOf(stage.backstage));
    try {
      await Promise.all(clients.map((each) => each.checkPlaybooks())); // connected
      await logDurations(true);
      const one = await looksDuring(() => sweepEvents(client));
      expect(one.looks).toBeGreaterThan(0);
      const all = await looksDuring(() =>
        Promise.all(clients.map((each) => inTime(sweepEvents(each)))),
      );
      expect(all.looks).toBe(one.looks);
      const started = all.result.flatMap((events) => eventsOf(events, 'started'));
      expect(new Set(started.map(({ sweepId }) => sweepId)).size).toBe(1);
      expect(started.filter(({ joined }) => !joined)).toHaveLength(1);
      const answers = all.result.flatMap((events) => eventsOf(events, 'answer'));
      expect(answers).toHaveLength(30);
      expect(new Set(answers.map(({ answer }) => answer.answerJson)).size).toBe(1);
    } finally {
      await logDurations(false);
      for (const each of clients) each.close();
    }
    await expectNoComplaints();
  });

  /** PostgreSQL itself counts our messages: one line each in its log. */
  async function logDurations(isOn: boolean) {
    for (const statement of [
      `ALTER SYSTEM SET log_duration = ${isOn ? 'on' : 'off'}`,
      `ALTER SYSTEM SET log_line_prefix = ${isOn ? `'%a '` : `'%m [%p] '`}`,
      'SELECT pg_reload_conf()',
    ])
      await stage.postgres.query(statement);
    await pause(500);
  }

  async function looksDuring<T>(work: () => Promise<T>): Promise<{ looks: number; result: T }> {
    const count = () => stage.postgres.log(200).match(/^starr LOG: {2}duration/gm)?.length ?? 0;
    const before = count();
    const result = await work();
    await pause(300);
    return { looks: count() - before, result };
  }
});

describe('a starr.yaml that is wrong', () => {
  const good = 'environment: lab\n';
  it.each([
    ['an unknown key', `${good}targest: {}\n`, 2, 'targest is not known; allowed: environment'],
    [
      'an unknown key deep down',
      `${good}targets:\n  postgres:\n    - name: orders\n      url: postgres://starr@h/o\n      passwort: x\n`,
      6,
      'targets.postgres[0].passwort is not known; allowed: name, url, password',
    ],
    [
      'a value of the wrong kind',
      `${good}listen:\n  orchestrator: high\n`,
      3,
      'listen.orchestrator is "high"; allowed: ',
    ],
    [
      'a port that is none',
      `${good}listen:\n  http: 70000\n`,
      3,
      'listen.http is 70000; allowed: ',
    ],
    ['a missing key', 'targets: {}\n', 1, 'environment is missing; allowed: '],
    [
      'a secret in the open',
      `${good}targets:\n  postgres:\n    - name: orders\n      url: postgres://starr:hunter2@h/o\n`,
      5,
      'a URL without a password; give it by reference under password',
    ],
    [
      'a literal in place of a reference',
      `${good}targets:\n  redis:\n    - { name: sessions, url: redis://h, password: hunter2 }\n`,
      4,
      'targets.redis[0].password is no reference to a secret; allowed: one of { env }, { file }, { command }',
    ],
    [
      'a name twice',
      `${good}targets:\n  redis:\n    - { name: a, url: redis://h }\n    - { name: a, url: redis://i }\n`,
      3,
      'target names must be unique',
    ],
    ['no YAML', `${good}targets: [\n`, 3, ''],
  ])('%s: file, line, key and what is allowed, exit code 3', async (_, text, line, says) => {
    const folder = await makeTemporaryFolder('wrong-yaml');
    const file = join(folder.path, 'starr.yaml');
    await writeFile(file, text);
    try {
      for (const command of ['up', 'sweep']) {
        const { code, stdout, stderr } = await runStarr(['--config', file, command]);
        expect({ command, code, stdout }).toEqual({ command, code: 3, stdout: '' });
        expect(stderr).toContain(`${file}:${line}:`);
        expect(stderr).toContain(says);
        expect(stderr).not.toContain('hunter2');
        expect(stderr).not.toMatch(/^\s+at /m); // no stack
      }
    } finally {
      await folder.remove();
    }
  });

  it('a port that somebody else has: starr up says which service it was, leaves nothing behind, exit code 3', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    const backstage = await prepareBackstage();
    const listen = { ...backstage.ports, orchestrator: port };
    const { stateDir, configPath } = backstage;
    try {
      await writeFile(configPath, stageYamlText({ environment: 'lab', stateDir, ports: listen }));
      const { code, stderr } = await runStarr(['--config', configPath, 'up']);
      expect(code).toBe(3);
      expect(stderr).toMatch(/orchestrator ended \(1\)/);
      expect(stderr).toContain('EADDRINUSE');
      for (const [, pid] of stderr.matchAll(/ pid (\d+)$/gm))
        expect(isAlive(Number(pid))).toBe(false);
    } finally {
      taken.close();
      await backstage.remove();
    }
  });

  it('a file that is not there: said by name, exit code 3', async () => {
    const { code, stderr } = await runStarr(['--config', '/nowhere/starr.yaml', 'up']);
    expect(code).toBe(3);
    expect(stderr).toContain('/nowhere/starr.yaml cannot be read: ENOENT');
  });
});
