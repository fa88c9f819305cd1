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
import { startPostgres, type LabPostgres } from '@starr/lab';
import type { ApplyPlanEvent, OrchestratorClient, PlanRemedyEvent, PlanView } from '@starr/wire';
import { codeOf, collect, untilTrue } from '../test/collect.ts';
import { House } from '../test/house.ts';
import { startPond, type Pond } from '../test/pond.ts';

jest.setTimeout(60_000);

const never = () => new AbortController().signal;
const REASON = 'the meadow is wet';
let server: LabPostgres;
let house: House;
let pond: Pond;
let client: OrchestratorClient;
let databases = 0;
let url = '';

beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(() => server.stop());
beforeEach(async () => {
  databases += 1;
  await server.query(`CREATE DATABASE plans_${databases}`);
  url = server.url('postgres', `plans_${databases}`);
  house = await House.build();
  pond = await startPond();
  pond.level = 30;
});
afterEach(async () => {
  await house.end();
  await pond[Symbol.asyncDispose]();
});

async function open(storeUrl = url): Promise<void> {
  const doctor = await house.doctor('pond-doctor', { lake: pond.url });
  ({ client } = await house.orchestrator([doctor], { storeUrl }));
  await client.describeCatalog();
}

function planOf(events: readonly PlanRemedyEvent[]): PlanView & { hash: string } {
  const event = events.find(({ kind }) => kind === 'plan');
  if (event?.kind !== 'plan' || event.plan.sealed === undefined)
    throw new Error(JSON.stringify(events));
  return { ...event.plan, hash: event.plan.sealed.hash };
}

async function planned(params: Record<string, number> = { by: 20 }) {
  const request = { remedy: 'pond.drain', target: 'lake', params };
  return planOf(await collect(client.planRemedy(request, never())));
}

async function approved(params?: Record<string, number>) {
  const plan = await planned(params);
  await client.approvePlan({ plan: plan.id, hash: plan.hash, reason: REASON });
  return plan;
}

const apply = ({ id, hash }: { id: string; hash: string }) =>
  collect(client.applyPlan(id, hash, never()));

function told(events: readonly ApplyPlanEvent[]): readonly string[] {
  return events.map((event) => {
    switch (event.kind) {
      case 'operation':
        return event.moved.move === 'ended' ? `${event.moved.outcome}` : event.moved.move;
      case 'effect':
        return event.state;
      case 'started':
      case 'notice':
      case 'ended':
        return event.kind;
    }
  });
}

const endOf = (events: readonly ApplyPlanEvent[]) => {
  const last = events.at(-1);
  if (last?.kind !== 'ended') throw new Error(JSON.stringify(events));
  return last;
};

const effects = () => [...pond.effects.values()];

describe('a plan', () => {
  it('goes from the proposal to the established effect, and stands in the record and the audit', async () => {
    await open();
    await collect(client.sweep({}, never()));
    const plan = planOf(await collect(client.planRemedy({ plan: 'INC-1.1' }, never())));
    expect(plan).toMatchObject({ id: 'INC-1.1', state: 'planned', doctor: 'pond-doctor' });
    await client.approvePlan({ plan: plan.id, hash: plan.hash, reason: REASON });
    const events = await apply(plan);
    const steps = told(events);
    expect(steps.slice(0, 3)).toEqual(['started', 'begun', 'applied']);
    expect(steps).toContain('holding');
    expect(steps.slice(-2)).toEqual(['established', 'ended']);
    expect(endOf(events).plan).toMatchObject({
      state: 'established',
      result: expect.stringContaining('established'),
      journal: [{ outcome: 'applied', isByProbe: false, actor: 'ada' }],
    });
    expect(effects()).toEqual([1]);
    expect(pond.level).toBe(10);
    const { recordMarkdown } = await client.getIncident('INC-1');
    expect(recordMarkdown).toContain(`approved INC-1.1: ${REASON}`);
    expect(recordMarkdown).toContain('established');
    const audit = await server.query(
      `SELECT action FROM starr.audit WHERE subject = 'INC-1.1' ORDER BY number`,
      [],
      { database: `plans_${databases}` },
    );
    expect(audit.map(({ action }) => action)).toEqual([
      'plan.seal',
      'plan.approve',
      'plan.apply',
      'operation.intend',
      'operation.applied',
    ]);
  });

  it('asked for by name opens an incident of its own', async () => {
    await open();
    const plan = await planned();
    expect(plan).toMatchObject({ id: 'INC-1.1', role: 'asked' });
    expect((await client.getIncident('INC-1')).incident.openedBy).toBe('person:ada');
  });

  it('takes parameters beside its proposal, as another plan of the incident', async () => {
    await open();
    await collect(client.sweep({}, never()));
    const request = { plan: 'INC-1.1', params: { by: 25, steps: 2 } };
    const plan = planOf(await collect(client.planRemedy(request, never())));
    expect(plan).toMatchObject({ id: 'INC-1.2', params: { by: 25, steps: 2 } });
    expect(plan.sealed?.operations).toHaveLength(2);
  });

  it('is refused by its doctor with the reason, and stores nothing then', async () => {
    await open();
    pond.level = 0;
    const request = { remedy: 'pond.drain', target: 'lake', params: { by: 1 } };
    expect(await collect(client.planRemedy(request, never()))).toMatchObject([
      { kind: 'progress' },
      { kind: 'refused', says: 'lake is dry' },
    ]);
    expect(await client.listPlans()).toEqual([]);
  });

  it.each([
    [{ remedy: 'db.x', target: 'lake' }, 'REMEDY_UNKNOWN'],
    [{ remedy: 'pond.x', target: 'lake' }, 'REMEDY_UNKNOWN'],
    [{ remedy: 'pond.drain', target: 'sea', params: { by: 1 } }, 'TARGET_UNKNOWN'],
    [{ remedy: 'pond.drain', target: 'lake', params: { by: 0 } }, 'REMEDY_PARAMETERS'],
    [{ remedy: '', target: '' }, 'WIRE_INVALID'],
    [
      { remedy: 'pond.drain', target: 'lake', params: { by: 1 }, incident: 'INC-9' },
      'INCIDENT_UNKNOWN',
    ],
    [{ plan: 'INC-9.9' }, 'PLAN_UNKNOWN'],
  ])('that nobody can mean is refused: %j', async (request, code) => {
    await open();
    expect(await codeOf(collect(client.planRemedy(request, never())))).toBe(code);
  });
});

describe('an approval', () => {
  it('is of one hash, with a reason, for a time', async () => {
    await open();
    const plan = await planned();
    const other = `sha256:${'0'.repeat(64)}`;
    const approve = (more: object) =>
      codeOf(client.approvePlan({ plan: plan.id, hash: plan.hash, reason: REASON, ...more }));
    expect(await approve({ hash: other })).toBe('PLAN_NOT_APPROVED');
    expect(await approve({ hash: 'x' })).toBe('WIRE_INVALID');
    expect(await approve({ reason: ' ' })).toBe('WIRE_INVALID');
    expect(await approve({ reason: 'x'.repeat(1025) })).toBe('WIRE_INVALID');
    expect(await approve({ validForMs: 9999 })).toBe('WIRE_INVALID');
    expect(await approve({ plan: 'INC-9.9' })).toBe('PLAN_UNKNOWN');
    expect(await codeOf(apply(plan))).toBe('PLAN_NOT_APPROVED');
    expect(await approve({ validForMs: 10_000 })).toBe('no error');
    expect(await codeOf(apply({ id: plan.id, hash: other }))).toBe('PLAN_NOT_APPROVED');
    expect(effects()).toEqual([]);
    expect(endOf(await apply(plan)).plan.state).toBe('established');
  });

  it('is void when the plan is made anew', async () => {
    await open();
    const plan = await approved();
    const anew = planOf(await collect(client.planRemedy({ plan: plan.id }, never())));
    expect(anew.id).toBe(plan.id);
    expect(anew.hash).not.toBe(plan.hash);
    expect(await codeOf(apply(plan))).toBe('PLAN_NOT_APPROVED');
    expect(await codeOf(apply(anew))).toBe('PLAN_NOT_APPROVED');
    expect(effects()).toEqual([]);
  });
});

describe('applying', () => {
  it('happens once however many ask, and all of them follow it', async () => {
    await open();
    const plan = await approved({ by: 10, steps: 3 });
    const all = await Promise.all([apply(plan), apply(plan), apply(plan)]);
    expect(new Set(all.map((events) => endOf(events).plan.state))).toEqual(
      new Set(['established']),
    );
    const joined = all.map(([first]) => first?.kind === 'started' && first.joined);
    expect(joined.filter((each) => !each)).toHaveLength(1);
    expect(effects()).toEqual([1, 1, 1]);
    expect(await codeOf(apply(plan))).toBe('PLAN_NOT_APPROVED');
    expect(effects()).toEqual([1, 1, 1]);
  });

  it('goes on when the one who asked goes away', async () => {
    await open();
    const plan = await approved();
    pond.hold = 'before-the-act';
    const gone = new AbortController();
    const following = collect(client.applyPlan(plan.id, plan.hash, gone.signal)).catch(() => []);
    await untilTrue(() => pond.held === 1);
    gone.abort();
    await following;
    pond.hold = 'none';
    pond.release();
    await untilTrue(async () => (await client.getPlan(plan.id)).state === 'established');
    expect(effects()).toEqual([1]);
  });

  it('does not begin while another plan acts on the target', async () => {
    await open();
    const [first, second] = [await approved(), await approved()];
    pond.hold = 'before-the-act';
    const applying = apply(first);
    await untilTrue(() => pond.held === 1);
    expect(await codeOf(apply(second))).toBe('REMEDY_BUSY');
    pond.hold = 'none';
    pond.release();
    expect(endOf(await applying).plan.state).toBe('established');
    expect(effects()).toEqual([1]);
  });

  it('supersedes what is only being verified there', async () => {
    await open();
    const first = await approved({ by: 1, withinMs: 30_000 });
    const second = await approved({ by: 25 });
    const watching = apply(first);
    await untilTrue(async () => (await client.getPlan(first.id)).state === 'verifying');
    expect(endOf(await apply(second)).plan.state).toBe('established');
    expect(endOf(await watching)).toMatchObject({
      plan: { state: 'superseded' },
      says: `${second.id} acted on the same target before its effect was judged.`,
    });
  });
});

describe('the effect', () => {
  it('that does not come is missed, and a person is asked', async () => {
    await open();
    const events = await apply(await approved({ by: 1, withinMs: 1500 }));
    expect(told(events)).toContain('missed');
    expect(endOf(events)).toMatchObject({
      plan: { state: 'missed' },
      says: expect.stringMatching(/level: 29, wanted level below 11.*starr undo INC-1\.1/),
    });
  });

  it('that does not hold is missed', async () => {
    await open();
    pond.risesBy = 1; // each look finds it higher: below 11 at first, above soon after
    const events = await apply(await approved({ by: 25, holdMs: 3000, withinMs: 5000 }));
    const steps = told(events);
    expect(steps).toContain('holding');
    expect(endOf(events).plan.state).toBe('missed');
  });

  it('that is measurably worse is taken back by itself, where the remedy opted into it', async () => {
    await open();
    pond.level = 12;
    const plan = await approved({ by: 1, withinMs: 1200 });
    const applying = apply(plan);
    await untilTrue(() => pond.effects.size === 1);
    pond.level = 40;
    const events = await applying;
    expect(endOf(events).plan.state).toBe('missed');
    await untilTrue(async () =>
      (await client.listPlans()).some(({ undoOf }) => undoOf === plan.id),
    );
    const undo = (await client.listPlans()).find(({ undoOf }) => undoOf === plan.id);
    await untilTrue(() => effects().length === 2);
    expect(pond.level).toBe(41);
    expect(undo?.approval?.actor ?? 'starr').toBe('starr');
  });
});

describe('an undo', () => {
  it('is a plan of its own from the receipts, newest first', async () => {
    await open();
    const plan = await approved({ by: 10, steps: 2 });
    await apply(plan);
    expect(pond.level).toBe(10);
    const undo = planOf(await collect(client.undoPlan(plan.id, never())));
    expect(undo).toMatchObject({ role: 'undo', undoOf: plan.id, incident: plan.incident });
    await client.approvePlan({ plan: undo.id, hash: undo.hash, reason: REASON });
    expect(endOf(await apply(undo)).plan.state).toBe('established');
    expect(pond.level).toBe(30);
  });

  it('needs something to take back', async () => {
    await open();
    const plan = await planned();
    expect(await codeOf(collect(client.undoPlan(plan.id, never())))).toBe('REMEDY_REFUSED');
    expect(await codeOf(collect(client.undoPlan('INC-9.9', never())))).toBe('PLAN_UNKNOWN');
  });
});

describe('a doctor that was restarted', () => {
  it('applies nothing that it sealed before, and the plan says why and what to do', async () => {
    const before = await house.doctorProcess('pond-doctor', { lake: pond.url });
    ({ client } = await house.orchestrator([before], { storeUrl: url }));
    await client.describeCatalog();
    const plan = await approved();
    await before.process.kill();
    await house.doctorProcess('pond-doctor', { lake: pond.url }, before.port);
    const { plan: after, says } = endOf(await apply(plan));
    expect(after.state).toBe('refused');
    expect(says).toMatch(/earlier life of this doctor.*Plan it anew\.$/s);
    expect(effects()).toEqual([]);
    const anew = planOf(await collect(client.planRemedy({ plan: plan.id }, never())));
    expect(anew.id).toBe('INC-1.2'); // the first one keeps its number and its journal
    await client.approvePlan({ plan: anew.id, hash: anew.hash, reason: REASON });
    expect(endOf(await apply(anew)).plan.state).toBe('established');
    expect(effects()).toEqual([1]);
  });
});

describe('a lost answer', () => {
  it('is probed, never repeated: the doctor dies after the act', async () => {
    const doomed = await house.doctorProcess('pond-doctor', { lake: pond.url });
    ({ client } = await house.orchestrator([doomed], { storeUrl: url }));
    await client.describeCatalog();
    const plan = await approved();
    pond.hold = 'before-the-answer';
    const applying = apply(plan);
    await untilTrue(() => pond.held === 1);
    await doomed.process.kill();
    pond.hold = 'none';
    pond.release();
    await house.doctorProcess('pond-doctor', { lake: pond.url }, doomed.port);
    const events = await applying;
    expect(endOf(events).plan).toMatchObject({
      state: 'established',
      journal: [{ outcome: 'applied', isByProbe: true }],
    });
    expect(effects()).toEqual([1]);
  });

  it('of an act that did not take place is tombstoned: the doctor dies before it', async () => {
    const doomed = await house.doctorProcess('pond-doctor', { lake: pond.url });
    ({ client } = await house.orchestrator([doomed], { storeUrl: url }));
    await client.describeCatalog();
    const plan = await approved();
    pond.hold = 'before-the-act';
    const applying = apply(plan);
    await untilTrue(() => pond.held === 1);
    await doomed.process.kill();
    pond.hold = 'none';
    pond.release();
    await house.doctorProcess('pond-doctor', { lake: pond.url }, doomed.port);
    expect(endOf(await applying).plan).toMatchObject({
      state: 'failed',
      journal: [{ outcome: 'not-applied', isByProbe: true }],
    });
    expect(effects()).toEqual([]);
  });
});

describe('a store that is away', () => {
  it('refuses remedies and prints their native commands', async () => {
    const own = await startPostgres();
    await open(own.superuserUrl);
    const plan = await approved({ by: 20, steps: 2 });
    await own.kill();
    const refused = await apply(plan).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      details: { byHand: 'bucket --out 20 lake\nbucket --out 20 lake' },
    });
    const request = { remedy: 'pond.drain', target: 'lake', params: { by: 5 } };
    expect((await collect(client.planRemedy(request, never()))).at(-1)).toMatchObject({
      kind: 'refused',
      byHand: ['bucket --out 5 lake'],
    });
    expect(effects()).toEqual([]);
    await own.restart();
    expect(endOf(await apply(plan)).plan.state).toBe('established');
    await own.stop();
  });

  it('in the middle of a plan loses no outcome: the one known is written when it is back, and nothing more is sent', async () => {
    const own = await startPostgres();
    await open(own.superuserUrl);
    const plan = await approved({ by: 25, steps: 2 });
    pond.hold = 'before-the-act';
    const applying = apply(plan);
    await untilTrue(() => pond.held === 1);
    await own.kill();
    pond.hold = 'none';
    pond.release();
    await untilTrue(() => pond.effects.size === 1);
    await new Promise((resolve) => setTimeout(resolve, 700));
    await own.restart();
    const events = await applying;
    expect(told(events)).toContain('notice');
    const { plan: after } = endOf(events);
    expect(after.journal.map(({ outcome }) => outcome)[0]).toBe('applied');
    expect(effects().every((times) => times === 1)).toBe(true);
    expect(after.journal).toHaveLength(pond.effects.size);
    await own.stop();
  });
});
