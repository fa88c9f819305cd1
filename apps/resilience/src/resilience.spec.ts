import { createServer, type Server } from 'node:http';
import { writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { credentials, Metadata } from '@grpc/grpc-js';
import { ensureStateFiles, signGrant, type Serving, type StateFiles } from '@starr/doctor-host';
import {
  statusOf,
  type ApplyEvent,
  type CheckResult,
  type Doctor,
  type ProbeResult,
  type SealedPlan,
} from '@starr/kernel';
import { freePort, makeTemporaryFolder, type TemporaryFolder } from '@starr/lab';
import {
  bearerTokenInterceptor,
  callStream,
  callUnary,
  createDoctorClient,
  ResilienceServiceClient,
  shownProcessFromProto,
  type ShownProcess,
} from '@starr/wire';
import { compose } from './compose.ts';
import { readConfig } from './config.ts';
import { startProgram, type Program } from './test/start-program.ts';

const never = () => new AbortController().signal;
const ids = [
  'resilience.breakers',
  'resilience.dependencies',
  'resilience.pools',
  'resilience.queues',
];

let folder: TemporaryFolder;
let state: StateFiles;
let port: number;
let payments: Server;
let paymentsStatus = 200;
let serving: Serving;
let doctor: Doctor & { close(): void };
let client: ResilienceServiceClient;
const programs: Program[] = [];

beforeAll(async () => {
  folder = await makeTemporaryFolder('resilience');
  state = await ensureStateFiles(join(folder.path, 'state'));
  port = await freePort();
  payments = createServer((_request, response) => {
    response.writeHead(paymentsStatus).end();
  });
  await new Promise<void>((resolve) => payments.listen(0, '127.0.0.1', resolve));
  await writeFile(
    join(folder.path, 'starr.yaml'),
    `
environment: test
stateDir: state
listen: { resilience: ${port} }
targets:
  processes:
    - name: processes
      expect: { checkout: 2 }
      dependencies:
        - { name: payments-api, url: "http://127.0.0.1:${(payments.address() as AddressInfo).port}/healthz" }
`,
  );
});

afterAll(async () => {
  await new Promise((resolve) => payments.close(resolve));
  await folder.remove();
});

beforeEach(async () => {
  paymentsStatus = 200;
  serving = await startService();
  const address = `127.0.0.1:${port}`;
  const interceptors = [bearerTokenInterceptor(state.token)];
  doctor = createDoctorClient({ address, credentials: credentials.createInsecure(), interceptors });
  client = new ResilienceServiceClient(address, credentials.createInsecure(), { interceptors });
});

afterEach(async () => {
  await Promise.all(programs.splice(0).map((program) => program.kill()));
  doctor.close();
  client.close();
  await serving.stop(100);
});

async function startService(): Promise<Serving> {
  const configPath = join(folder.path, 'starr.yaml');
  return compose(await readConfig({ configPath, endsWithStdin: false }));
}

function startCheckout(instance: string): Program {
  const program = startProgram({
    service: 'checkout',
    instance,
    address: `127.0.0.1:${port}`,
    tokenFile: join(folder.path, 'state', 'token'),
  });
  programs.push(program);
  return program;
}

async function startTwo(): Promise<[Program, Program]> {
  const two: [Program, Program] = [startCheckout('a'), startCheckout('b')];
  await untilListed('a', 'b');
  return two;
}

async function list(): Promise<ShownProcess[]> {
  const request = { pageSize: 0, pageToken: '', service: '' };
  const page = await callUnary(client.listProcesses.bind(client), request, { timeoutMs: 2000 });
  return page.processes.map(shownProcessFromProto);
}

/** Exactly these instances, each with a report. */
async function untilListed(...instances: string[]): Promise<void> {
  await until(async () => {
    const shown = await list();
    return (
      shown.map(({ identity }) => identity.instance).join() === instances.join() &&
      shown.every(({ report }) => report !== undefined)
    );
  });
}

async function until(holds: () => Promise<boolean>, withinMs = 8000): Promise<void> {
  const endsAt = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > endsAt) throw new Error('it did not come true in time');
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

async function watch(events: string[], signal: AbortSignal): Promise<void> {
  const limits = { timeoutMs: 20_000, signal };
  try {
    for await (const { event } of callStream(
      client.watch.bind(client),
      { service: 'checkout' },
      limits,
    )) {
      if (event?.$case === 'process') events.push(`process ${event.value.hello?.instance ?? ''}`);
      if (event?.$case === 'detached') {
        events.push(`detached ${event.value.instance} clean ${event.value.clean}`);
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function examine(): Promise<Map<string, CheckResult>> {
  const results = new Map<string, CheckResult>();
  for await (const result of doctor.examine({ windowMs: 1_800_000, budgetMs: 3000 }, never())) {
    results.set(result.diagnostic, result);
  }
  return results;
}

async function verdictOf(id: string) {
  const result = (await examine()).get(id);
  if (!result) throw new Error(`${id} was not answered`);
  return result.verdict;
}

async function planReset(breaker = 'checkout/payments'): Promise<SealedPlan | string> {
  const request = { remedy: 'resilience.reset-breaker', target: 'processes', params: { breaker } };
  for await (const event of doctor.plan(request, never())) {
    if (event.kind === 'plan') return event.plan;
    if (event.kind === 'refused') return event.says;
  }
  throw new Error('neither plan nor refusal');
}

async function planned(): Promise<SealedPlan> {
  const plan = await planReset();
  if (typeof plan === 'string') throw new Error(plan);
  return plan;
}

async function apply(plan: SealedPlan): Promise<ApplyEvent[]> {
  const operationId = plan.operations[0]!.id;
  const expiresAt = new Date(Date.now() + 60_000).toISOString();
  const grant = signGrant(
    { v: 1, planHash: plan.hash, operationId, actor: 'test', reason: 'test', expiresAt },
    state.grantPrivateKeyPem,
  );
  const events: ApplyEvent[] = [];
  for await (const event of doctor.apply({ seal: plan.seal, operationId, grant }, never())) {
    events.push(event);
  }
  return events;
}

function endOf(events: readonly ApplyEvent[]) {
  const last = events.at(-1);
  return last?.kind === 'end' ? last.end : undefined;
}

function probe(plan: SealedPlan): Promise<ProbeResult> {
  return doctor.probe({ seal: plan.seal, operationId: plan.operations[0]!.id });
}

describe('attached processes', () => {
  it('are listed with who they are, where they come from and what their policies show', async () => {
    const [a] = await startTwo();
    const shown = await list();
    expect(shown[0]).toMatchObject({
      identity: { service: 'checkout', instance: 'a', pid: a.pid },
      peerAddress: '127.0.0.1',
      report: {
        unreadable: 0,
        policies: [
          { kind: 'breaker', name: 'payments', guards: 'payments-api', state: 'closed' },
          { kind: 'queue', name: 'mails', maxSize: 5 },
        ],
      },
    });
  });

  it('come in pages that lose nobody', async () => {
    await startTwo();
    const first = await callUnary(
      client.listProcesses.bind(client),
      { pageSize: 1, pageToken: '', service: 'checkout' },
      { timeoutMs: 2000 },
    );
    const second = await callUnary(
      client.listProcesses.bind(client),
      { pageSize: 1, pageToken: first.nextPageToken, service: 'checkout' },
      { timeoutMs: 2000 },
    );
    expect(first.processes.map(({ hello }) => hello?.instance)).toEqual(['a']);
    expect(second.processes.map(({ hello }) => hello?.instance)).toEqual(['b']);
    expect(second.nextPageToken).toBe('');
  });

  it('are all healthy when nothing is wrong, and all that is expected is there', async () => {
    await startTwo();
    const results = await examine();
    expect([...results.keys()].sort()).toEqual(ids);
    for (const { verdict } of results.values()) {
      expect(statusOf(verdict)).toBe('healthy');
      expect(verdict.blind).toEqual([]);
    }
  });

  it('detach cleanly when they stop, are lost when they are killed, and the watcher is told which', async () => {
    const [a, b] = await startTwo();
    const events: string[] = [];
    const ended = new AbortController();
    const watching = watch(events, ended.signal);
    await until(() => Promise.resolve(events.length >= 2));
    expect(new Set(events)).toEqual(new Set(['process a', 'process b']));
    const startedMs = performance.now();
    await b.order('stop');
    expect(performance.now() - startedMs).toBeLessThan(1000);
    await until(() => Promise.resolve(events.includes('detached b clean true')));
    await untilListed('a');
    await a.kill();
    await until(() => Promise.resolve(events.includes('detached a clean false')));
    await untilListed();
    ended.abort();
    await watching;
  });

  it('that are killed are detached at once, and the coverage shrinks visibly', async () => {
    const [, b] = await startTwo();
    await b.kill();
    await untilListed('a');
    const verdict = await verdictOf('resilience.breakers');
    expect(verdict.measured).toContainEqual({
      name: 'attachedProcesses',
      about: { kind: 'service', name: 'checkout' },
      value: 1,
      limit: 2,
    });
    expect(verdict.blind).toMatchObject([
      { why: 'unreachable', detail: '1 of 2 expected processes of checkout are attached' },
    ]);
  });

  it('that hang are a blind spot, not a healthy process, and do not hold the answer up', async () => {
    const [, b] = await startTwo();
    b.signal('SIGSTOP');
    const startedMs = performance.now();
    const verdict = await verdictOf('resilience.breakers');
    expect(performance.now() - startedMs).toBeLessThan(2500);
    expect(verdict.blind).toMatchObject([{ why: 'timeout' }]);
    expect(verdict.blind?.[0]?.detail).toContain('checkout/b');
    b.signal('SIGCONT');
    await until(async () => (await verdictOf('resilience.breakers')).blind?.length === 0);
  });

  it('come back to a service that was started again, with all that they had', async () => {
    const [a] = await startTwo();
    await a.order('open-breaker');
    await serving.stop(100);
    expect((await a.order('show')).policies[0]).toMatchObject({ state: 'open' });
    serving = await startService();
    await untilListed('a', 'b');
    const verdict = await verdictOf('resilience.breakers');
    expect(verdict.findings).toMatchObject([{ about: { name: 'checkout/payments' } }]);
    expect(verdict.blind).toEqual([]);
  });

  it('are refused without a token, and with a hello that is no hello', async () => {
    const bare = new ResilienceServiceClient(`127.0.0.1:${port}`, credentials.createInsecure());
    const endedWith = (service: string, metadata: Metadata) =>
      new Promise<string>((resolve) => {
        const call = bare.attach(metadata);
        call.on('error', ({ details }: { details: string }) => {
          resolve(details);
        });
        call.on('data', () => undefined);
        call.write({
          message: {
            $case: 'hello',
            value: {
              service,
              instance: 'x',
              version: '',
              pid: 1,
              startedAt: undefined,
              pod: undefined,
            },
          },
        });
      });
    const withToken = new Metadata();
    withToken.set('authorization', `Bearer ${state.token}`);
    await expect(endedWith('checkout', new Metadata())).resolves.toContain('authorization');
    await expect(endedWith('', withToken)).resolves.toContain('service is empty');
    await expect(endedWith('x'.repeat(201), withToken)).resolves.toContain('longer than 200');
    expect(await list()).toEqual([]);
    bare.close();
  });
});

describe('a sweep of ill processes', () => {
  it('finds the breaker that is open, and shows that its dependency is well', async () => {
    const [a, b] = await startTwo();
    await Promise.all([a.order('open-breaker'), b.order('open-breaker')]);
    const results = await examine();
    const [finding] = results.get('resilience.breakers')?.verdict.findings ?? [];
    expect(finding).toMatchObject({
      severity: 'critical',
      about: { kind: 'breaker', name: 'checkout/payments' },
    });
    expect(finding?.says).toContain('2 of 2 processes of checkout');
    const dependencies = results.get('resilience.dependencies');
    expect(statusOf(dependencies!.verdict)).toBe('healthy');
    expect(dependencies?.verdict.measured).toContainEqual({
      name: 'answered',
      about: { kind: 'dependency', name: 'payments-api' },
      value: 1,
      limit: 1,
    });
    expect(dependencies?.relations).toContainEqual({
      from: { kind: 'breaker', name: 'checkout/payments' },
      is: 'guards',
      to: { kind: 'dependency', name: 'payments-api' },
    });
  });

  it('finds the dependency that fails and the queue that is full', async () => {
    const [a] = await startTwo();
    await a.order('fill-queue');
    paymentsStatus = 503;
    const results = await examine();
    expect(results.get('resilience.queues')?.verdict.findings).toMatchObject([
      { severity: 'critical', about: { kind: 'queue', name: 'checkout/mails' } },
    ]);
    expect(results.get('resilience.dependencies')?.verdict.findings).toMatchObject([
      { severity: 'critical', says: 'dependency payments-api answers with status 503' },
    ]);
  });

  it('is blind, not healthy, when no process is attached', async () => {
    const results = await examine();
    const verdict = results.get('resilience.breakers')?.verdict;
    expect(verdict?.blind).toMatchObject([
      { detail: '0 of 2 expected processes of checkout are attached' },
    ]);
  });
});

describe('resetting a breaker', () => {
  it('is acknowledged by each process, and the receipt holds what each had', async () => {
    const [a, b] = await startTwo();
    await Promise.all([a.order('open-breaker'), b.order('open-breaker')]);
    const plan = await planned();
    expect(plan.touches).toMatchObject([{ name: 'processes', value: 2 }]);
    expect(plan.operations[0]?.byHand).toContain(String(a.pid));
    const events = await apply(plan);
    const says = events.flatMap((event) => (event.kind === 'progress' ? [event.says] : []));
    expect(says).toEqual([
      'checkout/a: acknowledged, open → closed',
      'checkout/b: acknowledged, open → closed',
    ]);
    expect(endOf(events)?.outcome).toBe('applied');
    expect((await a.breaker()).state).toBe('closed');
    expect((await b.breaker()).state).toBe('closed');
    expect(statusOf(await verdictOf('resilience.breakers'))).toBe('healthy');
  });

  it('is done once, however often it is asked for', async () => {
    const [a] = await startTwo();
    await a.order('open-breaker');
    const plan = await planned();
    await apply(plan);
    await a.order('open-breaker');
    const { epoch } = await a.breaker();
    expect(endOf(await apply(plan))?.outcome).toBe('applied');
    expect(await a.breaker()).toMatchObject({ state: 'open', epoch });
  });

  it('is refused when the breaker has moved on since it was seen', async () => {
    const [a] = await startTwo();
    await a.order('open-breaker');
    const plan = await planned();
    await a.order('close-breaker');
    await a.order('open-breaker');
    const end = endOf(await apply(plan));
    expect(end).toMatchObject({ outcome: 'refused' });
    expect(end?.says).toContain('has moved on');
    expect((await a.breaker()).state).toBe('open');
  });

  it('is partial, with a receipt, when one of the processes has ended', async () => {
    const [a, b] = await startTwo();
    await Promise.all([a.order('open-breaker'), b.order('open-breaker')]);
    const plan = await planned();
    await b.kill();
    await untilListed('a');
    const end = endOf(await apply(plan));
    expect(end).toMatchObject({ outcome: 'partial' });
    expect(end?.says).toContain('b: not attached any more');
    expect((await a.breaker()).state).toBe('closed');
  });

  it('is indeterminate when a process does not acknowledge, until the process can be asked', async () => {
    const [a, b] = await startTwo();
    await Promise.all([a.order('open-breaker'), b.order('open-breaker')]);
    const plan = await planned();
    b.signal('SIGSTOP');
    expect(endOf(await apply(plan))?.outcome).toBe('indeterminate');
    b.signal('SIGCONT');
    await until(async () => (await probe(plan)).state === 'applied');
    expect((await b.breaker()).state).toBe('closed');
  }, 15_000);

  it('is told by the processes to a service that was started again in between', async () => {
    const [a] = await startTwo();
    await a.order('open-breaker');
    const plan = await planned();
    await apply(plan);
    await serving.stop(100);
    serving = await startService();
    expect((await probe(plan)).state).toBe('applied');
  }, 15_000);

  it('that was never begun is told so by a service that was started again, and never happens', async () => {
    const [a] = await startTwo();
    await a.order('open-breaker');
    const plan = await planned();
    await serving.stop(100);
    serving = await startService();
    expect((await probe(plan)).state).toBe('not-applied');
    expect((await a.breaker()).state).toBe('open');
  }, 15_000);

  it('is not planned for what is closed or not there, and warns of a dependency that is down', async () => {
    const [a] = await startTwo();
    expect(await planReset()).toContain('is closed in all 2 processes');
    expect(await planReset('checkout/stock')).toContain('known: checkout/payments');
    await a.order('open-breaker');
    paymentsStatus = 500;
    expect((await planned()).warnings).toEqual([
      'payments-api answers with status 500 now: the breaker will open again',
    ]);
  });
});
