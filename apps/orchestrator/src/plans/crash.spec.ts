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
import { openStore, type Leashed, type Store } from '@starr/store';
import type { OrchestratorClient, PlanView } from '@starr/wire';
import { collect, untilTrue } from '../test/collect.ts';
import { House } from '../test/house.ts';
import { holdRow, type RowHold } from '../test/hold-row.ts';
import { startPond, type Pond } from '../test/pond.ts';

jest.setTimeout(120_000);

/** Each place of death; five times with CI=true. */
const RUNS = Array.from({ length: process.env['CI'] === 'true' ? 5 : 1 }, (_, index) => index + 1);
const never = () => new AbortController().signal;

let server: LabPostgres;
let house: House;
let pond: Pond;
let store: Store;
let url = '';
let databases = 0;
let doctor: Awaited<ReturnType<House['doctorProcess']>>;
let orchestrator: { process: Leashed; client: OrchestratorClient; port: number };
let held: RowHold | undefined;

beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(() => server.stop());

beforeEach(async () => {
  databases += 1;
  await server.query(`CREATE DATABASE crash_${databases}`);
  url = server.url('postgres', `crash_${databases}`);
  [house, pond] = await Promise.all([House.build(), startPond()]);
  pond.level = 30;
  store = openStore({ url, callTimeoutMs: 5000 });
  doctor = await house.doctorProcess('pond-doctor', { lake: pond.url });
  orchestrator = await house.orchestratorProcess([doctor], url);
  await orchestrator.client.describeCatalog();
});
afterEach(async () => {
  await held?.letGo();
  held = undefined;
  await house.end();
  await store.close();
  await pond[Symbol.asyncDispose]();
});

/** A plan of two operations that is being applied; nobody follows it. */
async function begin(): Promise<PlanView> {
  const { client } = orchestrator;
  const request = { remedy: 'pond.drain', target: 'lake', params: { by: 12, steps: 2 } };
  for await (const event of client.planRemedy(request, never())) {
    if (event.kind !== 'plan' || event.plan.sealed === undefined) continue;
    const { hash } = event.plan.sealed;
    await client.approvePlan({ plan: event.plan.id, hash, reason: 'the meadow is wet' });
    collect(client.applyPlan(event.plan.id, hash, never())).catch(() => undefined); // it dies with the process
    return event.plan;
  }
  throw new Error('no plan');
}

async function journalOf(plan: PlanView): Promise<readonly (string | undefined)[]> {
  return (await store.journal.ofPlan(plan.id)).map(({ outcome }) => outcome?.outcome);
}

const idOf = (plan: PlanView, position: number): string =>
  plan.sealed?.operations[position]?.id ?? '';

const killed = {
  orchestrator: async () => {
    await orchestrator.process.kill();
    await held?.letGo();
    orchestrator = await house.orchestratorProcess([doctor], url, orchestrator.port);
  },
  doctor: async () => {
    await doctor.process.kill();
    await held?.letGo();
    doctor = await house.doctorProcess('pond-doctor', { lake: pond.url }, doctor.port);
  },
} as const;

/** Whatever happened: each operation at most once, the journal tells the truth, and nothing can be sent again. */
async function settled(plan: PlanView): Promise<readonly (string | undefined)[]> {
  await untilTrue(async () => {
    const now = await store.plans.get(plan.id);
    return now !== undefined && !['applying', 'verifying'].includes(now.state);
  }, 60_000);
  const entries = await store.journal.ofPlan(plan.id);
  for (const { operation, outcome } of entries) {
    const times = pond.effects.get(operation) ?? 0;
    expect(times).toBeLessThanOrEqual(1);
    if (outcome?.outcome === 'applied') expect(times).toBe(1);
    if (outcome?.outcome === 'not-applied' || outcome?.outcome === 'refused') expect(times).toBe(0);
  }
  const before = new Map(pond.effects);
  const { client } = orchestrator;
  // A run that has written its end may still be closing: joining it sends nothing, and soon it is refused.
  await untilTrue(() =>
    collect(client.applyPlan(plan.id, plan.sealed?.hash ?? '', never())).then(
      () => false,
      (error: unknown) => (error as { code?: string }).code === 'PLAN_NOT_APPROVED',
    ),
  );
  expect(new Map(pond.effects)).toEqual(before);
  return entries.map(({ outcome }) => outcome?.outcome);
}

describe.each(['orchestrator', 'doctor'] as const)('the %s killed with kill -9', (victim) => {
  it.each(RUNS)('between INTENT and act: not applied, and tombstoned (run %i)', async () => {
    pond.hold = 'before-the-answer';
    const plan = await begin();
    await untilTrue(() => pond.held === 1);
    // The first operation waits for its answer; the second will stop after its INTENT, at the look at the lease.
    held = await holdRow(
      server,
      `crash_${databases}`,
      `SELECT 1 FROM starr.leases WHERE name = 'plan/${plan.id}' FOR UPDATE`,
    );
    pond.hold = 'none';
    pond.release();
    await held.somebodyWaits();
    expect(await journalOf(plan)).toEqual(['applied', undefined]);
    expect(pond.effects.get(idOf(plan, 1))).toBeUndefined();
    await killed[victim]();
    expect(await settled(plan)).toEqual(['applied', 'not-applied']);
  });

  it.each(RUNS)('during the act: applied once, or tombstoned (run %i)', async () => {
    pond.hold = 'before-the-act';
    const plan = await begin();
    await untilTrue(() => pond.held === 1);
    expect(await journalOf(plan)).toEqual([undefined]);
    expect(pond.effects.size).toBe(0);
    pond.hold = 'none'; // for the second operation; the first one stays held
    if (victim === 'doctor') {
      await doctor.process.kill();
      pond.release(); // its caller is gone: dropped, as a server drops it
    }
    await killed[victim]();
    pond.release();
    // The doctor goes on without the orchestrator; without the doctor the act never comes.
    const [first] = await settled(plan);
    expect(first).toBe(victim === 'orchestrator' ? 'applied' : 'not-applied');
  });

  it.each(RUNS)('between act and OUTCOME: applied once (run %i)', async () => {
    pond.hold = 'before-the-answer';
    const plan = await begin();
    await untilTrue(() => pond.held === 1);
    held = await holdRow(
      server,
      `crash_${databases}`,
      `SELECT 1 FROM starr.intents WHERE operation = '${idOf(plan, 0)}' FOR UPDATE`,
    );
    pond.hold = 'none';
    pond.release();
    await held.somebodyWaits();
    expect(await journalOf(plan)).toEqual([undefined]);
    expect(pond.effects.get(idOf(plan, 0))).toBe(1);
    await killed[victim]();
    const [first] = await settled(plan);
    expect(first).toBe('applied');
    expect(pond.effects.get(idOf(plan, 0))).toBe(1);
  });
});

describe('a second orchestrator', () => {
  it('takes a plan over when the lease of the first has run out, and not before', async () => {
    const second = await house.orchestratorProcess([doctor], url);
    pond.hold = 'before-the-act';
    const plan = await begin();
    await untilTrue(() => pond.held === 1);
    pond.hold = 'none'; // for the second operation; the first one stays held
    await orchestrator.process.kill();
    pond.release();
    await untilTrue(() => pond.effects.size === 1);
    await new Promise((resolve) => setTimeout(resolve, 6000)); // it looks every five seconds
    expect(await journalOf(plan)).toEqual([undefined]);
    await server.query('UPDATE starr.leases SET held_until = clock_timestamp()', undefined, {
      database: `crash_${databases}`,
    });
    orchestrator = second;
    const [first] = await settled(plan);
    expect(first).toBe('applied');
  });
});

describe('a patient that cannot tell', () => {
  it('leaves the operation indeterminate and never sent again; told later, it is settled', async () => {
    pond.hold = 'before-the-act';
    const plan = await begin();
    await untilTrue(() => pond.held === 1);
    // A second act is held, so that the pond cannot say whether the first one will come.
    const stray = fetch(`${pond.url}/acts?id=stray&by=0`, { method: 'POST' });
    await untilTrue(() => pond.held === 2);
    await doctor.process.kill();
    doctor = await house.doctorProcess('pond-doctor', { lake: pond.url }, doctor.port);
    await untilTrue(async () => (await journalOf(plan))[0] === 'indeterminate', 60_000);
    // The journal has it first, the plan a moment later.
    await untilTrue(async () => (await store.plans.get(plan.id))?.state === 'indeterminate');
    pond.hold = 'none';
    pond.release();
    await stray;
    await untilTrue(async () => (await journalOf(plan))[0] === 'not-applied', 60_000);
    expect(pond.effects.get(idOf(plan, 0))).toBeUndefined();
    await untilTrue(async () => (await store.plans.get(plan.id))?.state === 'failed');
  });
});
