import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  statusOf,
  type ApplyEvent,
  type CheckResult,
  type Doctor,
  type ExamineRequest,
  type PlanEvent,
  type SealedPlan,
} from '@starr/kernel';
import { createDoctor, type DoctorOptions } from './create-doctor.ts';
import { createGrantKeys, signGrant } from './grants.ts';
import {
  createFolderAdapter,
  folderCatalog,
  type FolderAct,
  type FolderAdapter,
  type FolderRequest,
} from './spec/folder-doctor.ts';

const REQUEST: ExamineRequest = { windowMs: 60_000, budgetMs: 2000 };
const KEYS = createGrantKeys();
const SEAL_KEY = new Uint8Array(32).fill(7);

let path: string;
let adapter: FolderAdapter;
let doctor: Doctor & { close(): Promise<void> };

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'starr-folder-'));
  for (const name of ['a', 'b', 'c']) await writeFile(join(path, name), '');
  adapter = createFolderAdapter(path);
  doctor = create();
});

afterEach(async () => {
  await doctor.close();
  await rm(path, { recursive: true });
});

function create(more: Partial<DoctorOptions<FolderRequest, FolderAct>> = {}) {
  const targets = [{ name: 'inbox', kind: 'folder', adapter, acts: true }];
  return createDoctor({
    name: 'folder-doctor',
    catalog: folderCatalog,
    targets,
    sealKey: SEAL_KEY,
    grantPublicKeyPem: KEYS.publicKeyPem,
    sampler: 'off',
    pairGapMs: 20,
    ...more,
  });
}

async function collect<T>(events: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const event of events) all.push(event);
  return all;
}

const examine = (request: Partial<ExamineRequest> = {}) =>
  collect<CheckResult>(doctor.examine({ ...REQUEST, ...request }, new AbortController().signal));

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no error',
    (error: unknown) => (error as { code: string }).code,
  );
}

async function planMove(file = 'a', isLong = false): Promise<SealedPlan> {
  const events = await collect<PlanEvent>(
    doctor.plan(
      { remedy: 'folder.set-aside', target: 'inbox', params: { file, isLong } },
      new AbortController().signal,
    ),
  );
  const last = events.at(-1);
  if (last?.kind !== 'plan') throw new Error(`no plan: ${JSON.stringify(last)}`);
  return last.plan;
}

const opOf = (plan: SealedPlan) => plan.operations[0]?.id ?? '';

function grantFor(
  plan: SealedPlan,
  more: Partial<{ operationId: string; planHash: string; expiresAt: string; key: string }> = {},
): string {
  const { key = KEYS.privateKeyPem, ...rest } = more;
  const grant = {
    v: 1 as const,
    planHash: plan.hash,
    operationId: opOf(plan),
    actor: 'on-call',
    reason: 'spec',
    expiresAt: new Date(Date.now() + 60_000).toISOString(),
    ...rest,
  };
  return signGrant(grant, key);
}

const apply = (plan: SealedPlan, grant = grantFor(plan), signal = new AbortController().signal) =>
  collect<ApplyEvent>(doctor.apply({ seal: plan.seal, operationId: opOf(plan), grant }, signal));

describe('examining', () => {
  it('answers once a check, and a read that two checks need is performed once', async () => {
    const results = await examine({ diagnostics: ['folder.files'] });
    expect(results.map(({ diagnostic, verdict }) => [diagnostic, statusOf(verdict)])).toEqual([
      ['folder.files', 'found'],
    ]);
    adapter.performs = 0;
    await examine();
    // folder.files once, shared with the first sample of folder.growth; growth has no history and takes a second
    expect(adapter.performs).toBe(2);
  });

  it('compares with an earlier sample once there is one, and says since when it has history', async () => {
    doctor = create({ sampleLimits: { minAgeMs: 5 } });
    await examine({ diagnostics: ['folder.growth'] });
    await writeFile(join(path, 'd'), '');
    await new Promise((resolve) => setTimeout(resolve, 10));
    adapter.performs = 0;
    const [result] = await examine({ diagnostics: ['folder.growth'] });
    expect(adapter.performs).toBe(1);
    expect(result?.verdict.measured[0]?.value).toBe(1);
    expect(result?.historySince).toBeInstanceOf(Date);
  });

  it('uses thresholds of the request over the defaults, and says which it used', async () => {
    const [result] = await examine({
      diagnostics: ['folder.files'],
      thresholds: { 'folder.files': { most: 3 } },
    });
    expect(result && statusOf(result.verdict)).toBe('healthy');
    expect(result?.thresholds).toEqual({ most: 3 });
  });

  it('is blind with the reason and the cure when the patient denies, never green', async () => {
    adapter.illness = 'denied';
    const [result] = await examine({ diagnostics: ['folder.files'] });
    expect(result?.verdict).toEqual({
      measured: [],
      findings: [],
      changes: [],
      blind: [
        { kind: 'blind', why: 'denied', detail: 'no leave to list', cure: `chmod o+r ${path}` },
      ],
    });
  });

  it('answers within the budget when the patient hangs', async () => {
    adapter.illness = 'hangs';
    const startedMs = performance.now();
    const results = await examine({ budgetMs: 600 });
    expect(performance.now() - startedMs).toBeLessThan(1500);
    expect(results.map(({ verdict }) => verdict.blind?.[0]?.why)).toEqual(['timeout', 'timeout']);
  });

  it.each([
    [true, 'found'],
    [undefined, 'blind'],
  ])(
    'an adapter that queues (%s) times its looks itself: waiting for the others is %s',
    async (queues, status) => {
      if (queues !== undefined) adapter.queues = queues;
      adapter.illness = 'long-line';
      const [result] = await examine({ diagnostics: ['folder.files'] });
      expect(result && statusOf(result.verdict)).toBe(status);
    },
  );

  it('an adapter that queues is not waited for beyond the budget', async () => {
    adapter.queues = true;
    adapter.illness = 'hangs';
    const startedMs = performance.now();
    const results = await examine({ budgetMs: 600 });
    expect(performance.now() - startedMs).toBeLessThan(1500);
    expect(results.map(({ verdict }) => verdict.blind?.[0]?.why)).toEqual(['timeout', 'timeout']);
  });

  it('gives reads whole milliseconds, whatever is left of the budget', async () => {
    const perform = jest.spyOn(adapter, 'perform');
    await examine({ budgetMs: 600 });
    const limits = perform.mock.calls.map(([, limit]) => limit.timeoutMs);
    expect(limits.length).toBeGreaterThan(0);
    expect(limits.filter((timeoutMs) => !Number.isInteger(timeoutMs))).toEqual([]);
    expect(Math.max(...limits)).toBeLessThanOrEqual(600);
  });

  it.each([
    [{ diagnostics: ['folder.fils'] }, 'diagnostics', 'folder.files, folder.growth'],
    [{ targets: ['outbox'] }, 'targets', 'inbox'],
    [{ budgetMs: 99 }, 'budget', '100 to 60000 milliseconds'],
    [{ windowMs: Number.NaN }, 'window', '1000 to 86400000 milliseconds'],
    [{ thresholds: { 'folder.files': { least: 1 } } }, 'thresholds.folder.files', 'most'],
    [
      { thresholds: { 'folder.files': { most: -1 } } },
      'thresholds.folder.files.most',
      'a finite number, 0 or more',
    ],
  ])('refuses %j, naming the field and what is allowed', async (request, field, allowed) => {
    await expect(examine(request)).rejects.toMatchObject({
      code: 'WIRE_INVALID',
      details: { field, allowed },
    });
  });

  it('two runs at once share one look at the patient', async () => {
    adapter.performs = 0;
    await Promise.all([
      examine({ diagnostics: ['folder.files'] }),
      examine({ diagnostics: ['folder.files'] }),
    ]);
    expect(adapter.performs).toBe(1);
  });

  it('resolves entities around keys', async () => {
    const relations = await doctor.resolve(
      [{ kind: 'file', name: 'a', scope: 'inbox' }],
      new AbortController().signal,
    );
    expect(relations).toContainEqual({
      from: { kind: 'file', name: 'a', scope: 'inbox' },
      is: 'in',
      to: { kind: 'folder', name: 'inbox' },
    });
  });
});

describe('acting', () => {
  it('plans without touching, applies with a grant, and undoes from the receipt', async () => {
    const plan = await planMove();
    expect(await readdir(path)).toEqual(['a', 'b', 'c']);
    const end = (await apply(plan)).at(-1);
    expect(await readdir(path)).toEqual(['a.aside', 'b', 'c']);
    if (end?.kind !== 'end' || end.end.outcome !== 'applied') throw new Error(JSON.stringify(end));
    const undo = await collect<PlanEvent>(
      doctor.plan(
        { remedy: 'folder.set-aside', target: 'inbox', params: {}, undo: [end.end.receipt] },
        new AbortController().signal,
      ),
    );
    const last = undo.at(-1);
    if (last?.kind !== 'plan') throw new Error(JSON.stringify(last));
    await apply(last.plan);
    expect(await readdir(path)).toEqual(['a', 'b', 'c']);
  });

  it('applies once however often it is asked, and gives the same answer', async () => {
    const plan = await planMove();
    const first = (await apply(plan)).at(-1);
    expect((await apply(plan)).at(-1)).toEqual(first);
    expect(adapter.applies).toBe(1);
  });

  it('goes on when the client goes away, and the late one hears the end', async () => {
    adapter.illness = 'slow-act';
    const plan = await planMove();
    const leaving = new AbortController();
    const first = apply(plan, grantFor(plan), leaving.signal);
    setTimeout(() => {
      leaving.abort();
    }, 30);
    expect((await first).map(({ kind }) => kind)).not.toContain('end');
    expect((await apply(plan)).at(-1)).toMatchObject({ kind: 'end', end: { outcome: 'applied' } });
    expect(adapter.applies).toBe(1);
  });

  it('says refused when the pre-state changed, and probes as not applied', async () => {
    const plan = await planMove();
    await rm(join(path, 'a'));
    expect((await apply(plan)).at(-1)).toMatchObject({
      kind: 'end',
      end: { outcome: 'refused', says: 'a is gone' },
    });
    expect(await doctor.probe({ seal: plan.seal, operationId: opOf(plan) })).toMatchObject({
      state: 'not-applied',
    });
  });

  it('tombstones what a probe found not applied: it can never be applied any more', async () => {
    const plan = await planMove();
    expect(await doctor.probe({ seal: plan.seal, operationId: opOf(plan) })).toMatchObject({
      state: 'not-applied',
    });
    expect(await codeOf(apply(plan))).toBe('REMEDY_TOMBSTONED');
    expect(adapter.applies).toBe(0);
  });

  it('after a restart refuses to apply an old seal, but still probes it from the patient', async () => {
    const plan = await planMove();
    await apply(plan);
    doctor = create();
    expect(await doctor.probe({ seal: plan.seal, operationId: opOf(plan) })).toMatchObject({
      state: 'applied',
    });
    const other = await planMove('b');
    doctor = create();
    expect(await codeOf(apply(other))).toBe('REMEDY_SEAL');
    expect(adapter.applies).toBe(1);
  });

  it('refuses a second act on the same target while one is in progress', async () => {
    adapter.illness = 'slow-act';
    const [first, second] = [await planMove('a'), await planMove('b')];
    const running = apply(first);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await codeOf(apply(second))).toBe('REMEDY_BUSY');
    await running;
  });

  it('lets an urgent act and a long one proceed together, and refuses a second long one', async () => {
    adapter.illness = 'slow-act';
    const long = await planMove('a', true);
    const [urgent, other] = [await planMove('b'), await planMove('c', true)];
    const acts = [apply(long), apply(urgent)];
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await codeOf(apply(other))).toBe('REMEDY_BUSY');
    const ends = (await Promise.all(acts)).map((events) => events.at(-1));
    expect(ends).toMatchObject([{ end: { outcome: 'applied' } }, { end: { outcome: 'applied' } }]);
  });

  const forgeries: [string, string, (plan: SealedPlan) => { seal?: string; grant?: string }][] = [
    ['a seal of another key', 'REMEDY_SEAL', (plan) => ({ seal: `${plan.seal.slice(0, -4)}AAAA` })],
    ['a seal whose content was changed', 'REMEDY_SEAL', (plan) => ({ seal: `x${plan.seal}` })],
    ['an empty seal', 'REMEDY_SEAL', () => ({ seal: '' })],
    [
      'a grant of another key',
      'REMEDY_GRANT',
      (plan) => ({ grant: grantFor(plan, { key: createGrantKeys().privateKeyPem }) }),
    ],
    [
      'a grant for another plan',
      'REMEDY_GRANT',
      (plan) => ({ grant: grantFor(plan, { planHash: `sha256:${'0'.repeat(64)}` }) }),
    ],
    [
      'a grant for another operation',
      'REMEDY_GRANT',
      (plan) => ({ grant: grantFor(plan, { operationId: 'p0.9' }) }),
    ],
    [
      'a grant that has expired',
      'REMEDY_GRANT',
      (plan) => ({ grant: grantFor(plan, { expiresAt: new Date(Date.now() - 1).toISOString() }) }),
    ],
    ['no grant', 'REMEDY_GRANT', () => ({ grant: '' })],
  ];
  it.each(forgeries)('refuses %s and does nothing', async (_name, code, forge) => {
    const plan = await planMove();
    const { seal = plan.seal, grant = grantFor(plan) } = forge(plan);
    expect(
      await codeOf(
        collect(
          doctor.apply({ seal, operationId: opOf(plan), grant }, new AbortController().signal),
        ),
      ),
    ).toBe(code);
    expect(adapter.applies).toBe(0);
  });

  it('refuses a plan whose time is over', async () => {
    doctor = create({ sealLifetimeMs: 1 });
    const plan = await planMove();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await codeOf(apply(plan))).toBe('REMEDY_SEAL');
  });

  it('names the parameter that is wrong, and the remedy that does not exist', async () => {
    const planned = (remedy: string, params: Record<string, string>) =>
      collect(doctor.plan({ remedy, target: 'inbox', params }, new AbortController().signal));
    await expect(planned('folder.set-aside', {})).rejects.toMatchObject({
      code: 'REMEDY_PARAMETERS',
      details: { field: 'params.file' },
    });
    await expect(planned('folder.burn', {})).rejects.toMatchObject({
      code: 'REMEDY_UNKNOWN',
      details: { received: 'folder.burn', allowed: 'folder.set-aside' },
    });
  });

  it('plans nothing on what it cannot see', async () => {
    adapter.illness = 'denied';
    const events = await collect<PlanEvent>(
      doctor.plan(
        { remedy: 'folder.set-aside', target: 'inbox', params: { file: 'a' } },
        new AbortController().signal,
      ),
    );
    expect(events.at(-1)).toMatchObject({ kind: 'refused', blind: [{ why: 'denied' }] });
  });
});
