import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from '@jest/globals';
import { answerFromJson } from '@starr/incident';
import { statusOf } from '@starr/kernel';
import { startPostgres, type LabPostgres } from '@starr/lab';
import type { AnswerView, SweepEvent } from '@starr/wire';
import { codeOf, collect, untilTrue } from '../test/collect.ts';
import { House } from '../test/house.ts';
import { startPond, type Pond } from '../test/pond.ts';

jest.setTimeout(60_000);

const never = () => new AbortController().signal;
let server: LabPostgres;
let house: House;
let pond: Pond;
let databases = 0;

beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(() => server.stop());
beforeEach(async () => {
  house = await House.build();
  pond = await startPond();
});
afterEach(async () => {
  await house.end();
  await pond[Symbol.asyncDispose]();
});

async function storeUrl(): Promise<string> {
  databases += 1;
  await server.query(`CREATE DATABASE sweeps_${databases}`);
  return server.url('postgres', `sweeps_${databases}`);
}

function only<K extends SweepEvent['kind']>(events: readonly SweepEvent[], kind: K) {
  return events.filter((event): event is Extract<SweepEvent, { kind: K }> => event.kind === kind);
}

function answerOf(events: readonly SweepEvent[]): AnswerView {
  const [event] = only(events, 'answer');
  if (event === undefined) throw new Error('no answer');
  return event.answer;
}

function blindReasons(events: readonly SweepEvent[]): Record<string, string | undefined> {
  return Object.fromEntries(
    only(events, 'check')
      .filter(({ result }) => statusOf(result.verdict) === 'blind')
      .map(({ result }) => [result.target, result.verdict.blind?.[0]?.why]),
  );
}

describe('a sweep', () => {
  it('names the cause, opens one incident and numbers what may be planned', async () => {
    pond.level = 30;
    const doctor = await house.doctor('pond-doctor', { lake: pond.url });
    const { client } = await house.orchestrator([doctor], { storeUrl: await storeUrl() });
    const events = await collect(client.sweep({}, never()));
    expect(events.map(({ kind }) => kind)).toEqual(['started', 'check', 'answer', 'ended']);
    expect(only(events, 'started')[0]).toMatchObject({
      environment: 'garden',
      joined: false,
      expected: [{ diagnostic: 'pond.level', target: 'lake', doctor: 'pond-doctor' }],
    });
    const answer = answerOf(events);
    expect(answer).toMatchObject({
      incident: 'INC-1',
      headline: 'lake is too full.',
      severity: 'critical',
      checks: 1,
      blindChecks: 0,
      causes: [{ playbook: 'pond-too-full', explains: 1, isGrounded: true }],
      proposals: [
        {
          plan: 'INC-1.1',
          role: 'relieve',
          remedy: 'pond.drain',
          target: 'lake',
          params: { by: 20 },
        },
      ],
    });
    expect(answerFromJson(answer.answerJson)?.causes[0]?.steps[0]?.number).toBe(1);
    expect(only(events, 'ended')[0]).toMatchObject({ recorded: true });

    const again = answerOf(await collect(client.sweep({}, never())));
    expect(again.incident).toBe('INC-1');
    expect(again.proposals[0]?.plan).toBe('INC-1.1');
    const detail = await client.getIncident('INC-1');
    expect(detail.incident.sweeps).toHaveLength(2);
    expect(detail.incident.openedBy).toBe('person:ada');
    expect(detail.plans.map(({ id, state }) => [id, state])).toEqual([['INC-1.1', 'proposed']]);
    expect(detail.recordMarkdown).toContain('# INC-1: lake is too full.');
    expect(JSON.parse(detail.recordJson)).toMatchObject({ version: 1, incident: 'INC-1' });
  });

  it('opens no incident when all is well', async () => {
    const doctor = await house.doctor('pond-doctor', { lake: pond.url });
    const { client } = await house.orchestrator([doctor], { storeUrl: await storeUrl() });
    const answer = answerOf(await collect(client.sweep({}, never())));
    expect(answer).toMatchObject({ headline: 'Nothing found.', causes: [], proposals: [] });
    expect(answer.incident).toBeUndefined();
    expect((await client.listIncidents(10)).incidents).toEqual([]);
  });

  it('silences what is accepted, visibly and until its day', async () => {
    pond.level = 30;
    const doctor = await house.doctor('pond-doctor', { lake: pond.url });
    const { client } = await house.orchestrator([doctor], { storeUrl: await storeUrl() });
    const state = { diagnostic: 'pond.level', target: 'lake', reason: 'it is spring' };
    expect(
      await codeOf(
        client.acceptState({ ...state, target: 'lkae', until: new Date(Date.now() + 9e6) }),
      ),
    ).toBe('WIRE_INVALID');
    expect(await codeOf(client.acceptState({ ...state, until: new Date(0) }))).toBe('WIRE_INVALID');
    await client.acceptState({ ...state, until: new Date(Date.now() + 60_000) });
    const silenced = answerOf(await collect(client.sweep({}, never())));
    expect(silenced.severity).toBeUndefined();
    expect(answerFromJson(silenced.answerJson)?.accepted[0]).toMatchObject({
      reason: 'it is spring',
      acceptedBy: 'ada',
    });
    expect(await client.revokeState('pond.level', 'lake')).toBe(true);
    expect(answerOf(await collect(client.sweep({}, never()))).severity).toBe('critical');
  });

  it('refuses what nobody can mean, with the field and what is allowed', async () => {
    const doctor = await house.doctor('pond-doctor', { lake: pond.url });
    const { client } = await house.orchestrator([doctor]);
    const fault = (request: object) =>
      collect(client.sweep(request, never())).catch((error: unknown) => error);
    expect(await fault({ budgetMs: 99 })).toMatchObject({
      code: 'WIRE_INVALID',
      details: { field: 'budget', allowed: '100 to 60000 milliseconds' },
    });
    expect(await fault({ windowMs: 24 * 3_600_000 + 1 })).toMatchObject({ code: 'WIRE_INVALID' });
    expect(await fault({ targets: ['sea'] })).toMatchObject({
      code: 'WIRE_INVALID',
      details: { field: 'targets', received: 'sea', allowed: 'lake' },
    });
    expect(await fault({ diagnostics: ['db.x'] })).toMatchObject({
      details: { field: 'diagnostics', allowed: 'pond.level' },
    });
  });

  it('asks only for what is chosen', async () => {
    const doctor = await house.doctor('pond-doctor', { lake: pond.url, sea: pond.url });
    const { client } = await house.orchestrator([doctor]);
    const events = await collect(client.sweep({ targets: ['sea'] }, never()));
    expect(only(events, 'check').map(({ result }) => result.target)).toEqual(['sea']);
  });
});

describe('thirty sweeps asked for at once', () => {
  it('share one run and get the same answer', async () => {
    pond.level = 30;
    const doctor = await house.doctor('pond-doctor', { lake: pond.url });
    const { client } = await house.orchestrator([doctor], { storeUrl: await storeUrl() });
    await collect(client.sweep({}, never()));
    const before = pond.looks;
    const all = await Promise.all(
      Array.from({ length: 30 }, () => collect(client.sweep({}, never()))),
    );
    const ids = new Set(all.map((events) => only(events, 'started')[0]?.sweepId));
    expect(ids.size).toBe(1);
    expect(pond.looks - before).toBeLessThanOrEqual(2); // the check, and the second pass around its finding
    expect(all.filter((events) => only(events, 'started')[0]?.joined === false)).toHaveLength(1);
    const answers = new Set(all.map((events) => answerOf(events).answerJson));
    expect(answers.size).toBe(1);
  });

  it('are not one when they ask different things', async () => {
    const doctor = await house.doctor('pond-doctor', { lake: pond.url, sea: pond.url });
    const { client } = await house.orchestrator([doctor]);
    const [a, b] = await Promise.all([
      collect(client.sweep({ targets: ['lake'] }, never())),
      collect(client.sweep({ targets: ['sea'] }, never())),
    ]);
    expect(only(a, 'started')[0]?.sweepId).not.toBe(only(b, 'started')[0]?.sweepId);
  });
});

describe('a client that goes away', () => {
  it('ends the run when nobody else waits for it', async () => {
    pond.isSilent = true;
    const doctor = await house.doctor('pond-doctor', { lake: pond.url });
    const { client, running } = await house.orchestrator([doctor]);
    const gone = new AbortController();
    const sweeping = collect(client.sweep({}, gone.signal)).catch(() => []);
    const metrics = () =>
      fetch(`http://127.0.0.1:${running.httpPort}/metrics`).then((r) => r.text());
    await untilTrue(async () => (await metrics()).includes('starr_sweeps_running 1'));
    gone.abort();
    await sweeping;
    await untilTrue(async () => (await metrics()).includes('starr_sweeps_running 0'), 1000);
    expect(await metrics()).toContain('starr_sweeps_total 0');
  });

  it('does not take it from those who still wait', async () => {
    pond.isSilent = true;
    const doctor = await house.doctor('pond-doctor', { lake: pond.url });
    const { client } = await house.orchestrator([doctor]);
    const gone = new AbortController();
    const leaving = collect(client.sweep({}, gone.signal)).catch(() => []);
    const staying = collect(client.sweep({}, never()));
    setTimeout(() => {
      gone.abort();
    }, 300);
    await leaving;
    const events = await staying;
    expect(only(events, 'ended')).toHaveLength(1);
    expect(blindReasons(events)).toEqual({ lake: 'timeout' });
  });
});

describe('a doctor that is away', () => {
  it('leaves its checks blind, unreachable, when it is killed in the middle, and all else as usual', async () => {
    const [hanging, well] = [await startPond(), pond];
    hanging.isSilent = true;
    const doomed = await house.doctorProcess('doomed', { bog: hanging.url });
    const doctor = await house.doctor('pond-doctor', { lake: well.url });
    const { client } = await house.orchestrator([doctor, { ...doomed, prefixes: ['pond.'] }]);
    await client.describeCatalog();
    const startedMs = performance.now();
    const sweeping = collect(client.sweep({}, never()));
    await untilTrue(() => hanging.looks > 0);
    await doomed.process.kill();
    const events = await sweeping;
    expect(performance.now() - startedMs).toBeLessThan(5000);
    expect(blindReasons(events)).toEqual({ bog: 'unreachable' });
    expect(only(events, 'check')).toHaveLength(2);
    const spot = only(events, 'check').find(({ result }) => result.target === 'bog');
    expect(spot?.result.verdict.blind?.[0]).toMatchObject({
      detail: expect.stringContaining('doomed at 127.0.0.1'),
      cure: 'start it: starr up',
    });
    // Known from before, so that its checks are still expected; also by a new orchestrator.
    for (const other of [client, (await house.orchestrator([doctor, doomed])).client]) {
      const later = await collect(other.sweep({}, never()));
      expect(blindReasons(later)).toEqual({ bog: 'unreachable' });
    }
    await hanging[Symbol.asyncDispose]();
  });

  it('is itself the blind spot when it never said what it can be asked', async () => {
    const { client } = await house.orchestrator([
      { name: 'absent', address: '127.0.0.1:1', prefixes: ['absent.'] },
    ]);
    const answer = answerOf(await collect(client.sweep({}, never())));
    expect(answerFromJson(answer.answerJson)?.blind).toMatchObject([
      { diagnostic: 'absent.*', target: 'absent', why: 'unreachable', cure: 'start it: starr up' },
    ]);
    expect(answer.headline).toBe('Nothing found, but 1 could not be looked at.');
    const health = await client.checkHealth();
    expect(health.services).toMatchObject([
      { name: 'absent', isServing: false },
      { name: 'store', isServing: false },
    ]);
  });

  it('is blind, denied, when it refuses our credential', async () => {
    const stranger = await House.build();
    const doctor = await stranger.doctor('strange', { lake: pond.url });
    const { client } = await house.orchestrator([doctor]);
    const answer = answerOf(await collect(client.sweep({}, never())));
    expect(answerFromJson(answer.answerJson)?.blind).toMatchObject([
      { diagnostic: 'pond.*', target: 'strange', why: 'denied' },
    ]);
    await stranger.end();
  });

  it('may not speak under the prefix of another', async () => {
    const doctor = await house.doctor('pond-doctor', { lake: pond.url });
    const { client } = await house.orchestrator([{ ...doctor, prefixes: ['db.'] }]);
    const events = await collect(client.sweep({}, never()));
    expect(only(events, 'check')).toEqual([]);
    expect(only(events, 'notice')[0]?.says).toContain(
      'pond-doctor describes pond.level, pond.drain',
    );
    expect((await client.describeCatalog())[0]?.diagnostics).toEqual([]);
  });

  it('whose patient hangs answers within five seconds', async () => {
    pond.isSilent = true;
    const doctor = await house.doctor('pond-doctor', { lake: pond.url });
    const { client } = await house.orchestrator([doctor]);
    const startedMs = performance.now();
    const events = await collect(client.sweep({}, never()));
    expect(performance.now() - startedMs).toBeLessThan(5000);
    expect(blindReasons(events)).toEqual({ lake: 'timeout' });
  });
});

describe('a store that is away', () => {
  it('leaves sweeps unrecorded and says so, at the start and in the middle', async () => {
    pond.level = 30;
    const own = await startPostgres();
    const doctor = await house.doctor('pond-doctor', { lake: pond.url });
    const { client } = await house.orchestrator([doctor], { storeUrl: own.superuserUrl });
    expect(answerOf(await collect(client.sweep({}, never()))).incident).toBe('INC-1');
    pond.isSilent = true; // holds the sweep until the store is dead
    const startedMs = performance.now();
    const looks = pond.looks;
    const sweeping = collect(client.sweep({}, never()));
    await untilTrue(() => pond.looks > looks);
    await own.kill();
    pond.isSilent = false;
    const events = await sweeping;
    expect(performance.now() - startedMs).toBeLessThan(5000);
    expect(only(events, 'ended')[0]).toMatchObject({ recorded: false });
    expect(only(events, 'notice').map(({ says }) => says)).toContain(
      'the store is away: this sweep is not recorded',
    );

    const away = answerOf(await collect(client.sweep({}, never())));
    expect(away.causes[0]?.playbook).toBe('pond-too-full');
    expect(away.incident).toBeUndefined();
    expect(away.proposals[0]).toMatchObject({ remedy: 'pond.drain' });
    expect(away.proposals[0]?.plan).toBeUndefined();
    expect(await codeOf(client.listIncidents(5))).toBe('STORE_UNAVAILABLE');

    await own.restart();
    expect(answerOf(await collect(client.sweep({}, never()))).incident).toBe('INC-1');
    await own.stop();
  });

  it('that hangs holds no sweep beyond its five seconds', async () => {
    pond.level = 30;
    const own = await startPostgres();
    const doctor = await house.doctor('pond-doctor', { lake: pond.url });
    const { client } = await house.orchestrator([doctor], { storeUrl: own.superuserUrl });
    await collect(client.sweep({}, never()));
    own.pause();
    const startedMs = performance.now();
    const events = await collect(client.sweep({}, never()));
    expect(performance.now() - startedMs).toBeLessThan(5000);
    expect(only(events, 'ended')[0]).toMatchObject({ recorded: false });
    own.resume();
    await own.stop();
  });

  it('is refused when it is the server of a target', async () => {
    const places = [{ name: 'orders', host: 'localhost', port: server.port }];
    await expect(
      house.orchestrator([], { storeUrl: server.superuserUrl, postgresPlaces: places }),
    ).rejects.toMatchObject({ code: 'CONFIG_INVALID', details: { field: 'store.url' } });
  });
});

describe('who may ask', () => {
  it('needs the credential', async () => {
    const doctor = await house.doctor('pond-doctor', { lake: pond.url });
    const { running } = await house.orchestrator([doctor]);
    const stranger = house.client(running.port, 'guess');
    expect(await codeOf(collect(stranger.sweep({}, never())))).toBe('WIRE_UNAUTHENTICATED');
    expect(await codeOf(stranger.listIncidents(1))).toBe('WIRE_UNAUTHENTICATED');
  });

  it('is nobody off loopback, where it refuses to start', async () => {
    await expect(house.orchestrator([], { host: '0.0.0.0' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });
});
