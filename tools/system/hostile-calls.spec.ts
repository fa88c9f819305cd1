import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createGrantKeys, readStateFiles, signGrant } from '@starr/doctor-host';
import { leakConnections, startStage, waitUntil, type Stage } from '@starr/lab';
import {
  columnsToProto,
  DbServiceService as db,
  DoctorServiceService as doctor,
  OrchestratorServiceService as orchestrator,
  ResilienceServiceService as resilience,
} from '@starr/wire';
import { rawClient, type AnyMethod, type RawClient } from './raw-client.ts';
import { sweepAnswer } from './sweep-answer.ts';
import { watchServices, type ServicesWatch } from './watch-services.ts';

/** What a service may say to a request that nobody can mean. Anything else is a defect of ours. */
const PROPER = [
  'OK',
  'INVALID_ARGUMENT',
  'NOT_FOUND',
  'FAILED_PRECONDITION',
  'PERMISSION_DENIED',
  'UNIMPLEMENTED',
];
const HUGE = 'x'.repeat(100_000);
const HOSTILE_TEXTS = [
  '',
  '\u0000',
  HUGE,
  `'; DROP TABLE incidents; --`,
  '../../../etc/passwd',
  '{{constructor.constructor}}',
  '__proto__',
  '\ud800 %s %n \u202e',
];
const HOSTILE_NUMBERS = [-1, 2_147_483_647, -2_147_483_648];
const ENDLESS: ReadonlySet<AnyMethod> = new Set([resilience.attach, resilience.watch]);

jest.setTimeout(180_000); // a loaded machine is slow, not wrong

describe('calls that nobody can mean', () => {
  let stage: Stage;
  let watch: ServicesWatch;
  const clients: RawClient[] = [];

  const services = () => {
    const { ports } = stage.backstage;
    return [
      ['orchestrator', ports.orchestrator, [orchestrator]],
      ['db-doctor', ports.dbDoctor, [doctor, db]],
      ['cache-doctor', ports.cacheDoctor, [doctor]],
      ['k8s-doctor', ports.k8sDoctor, [doctor]],
      ['resilience', ports.resilience, [doctor, resilience]],
    ] as const;
  };
  const methods = (definitions: readonly object[]) =>
    definitions.flatMap((definition) => Object.values(definition) as AnyMethod[]);
  const client = (port: number, token?: string) => {
    const made = rawClient(port, token);
    clients.push(made);
    return made;
  };
  const trusted = (port: number) => client(port, stage.backstage.token);

  beforeAll(async () => {
    stage = await startStage({ maxConnections: 100 });
    await sweepAnswer(stage.services);
    watch = await watchServices(stage.services, stage.backstage);
  }, 240_000);
  afterAll(async () => {
    for (const each of clients) each.close();
    await stage.stop();
  });

  it.each([
    ['no token', undefined],
    ['a wrong token', 'nobody-gave-me-this'],
    ['an empty token', ''],
  ])(
    'with %s: every call of every service is refused before anything is done',
    async (_, token) => {
      for (const [name, port, definitions] of services()) {
        const stranger = client(port, token);
        for (const method of methods(definitions)) {
          const ended = await stranger.call(method, {});
          expect({ name, path: method.path, ...ended }).toMatchObject({
            status: 'UNAUTHENTICATED',
            reason: 'WIRE_UNAUTHENTICATED',
            field: 'authorization',
            messages: [],
          });
        }
      }
      expect(await watch.troubles()).toEqual([]);
    },
  );

  it('bytes that are no message: an error, and the service goes on', async () => {
    const garbage = [Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 1]), Buffer.alloc(64, 0x0b)];
    for (const [name, port, definitions] of services()) {
      const caller = trusted(port);
      for (const method of methods(definitions))
        for (const bytes of garbage) {
          const ended = await caller.call(method, bytes, { most: 1 });
          expect({ name, path: method.path, status: ended.status }).not.toMatchObject({
            status: 'OK',
          });
        }
    }
    expect(await watch.troubles()).toEqual([]);
  });

  it('a message larger than gRPC takes: refused, and the service goes on', async () => {
    const { ports } = stage.backstage;
    const ended = await trusted(ports.dbDoctor).call(doctor.adviseGrants, {
      target: 'x'.repeat(5 * 1024 * 1024),
    });
    expect(ended.status).toBe('RESOURCE_EXHAUSTED');
    expect(await watch.troubles()).toEqual([]);
  });

  it('every text and every number of every request, hostile: a proper status, short, and no crash', async () => {
    const improper: unknown[] = [];
    let calls = 0;
    for (const [name, port, definitions] of services()) {
      const caller = trusted(port);
      for (const method of methods(definitions).filter((each) => !ENDLESS.has(each)))
        for (const fields of hostileFields(method)) {
          calls += 1;
          const ended = await caller.call(method, fields, { most: 1 });
          const isProper = PROPER.includes(ended.status) && ended.details.length < 4000;
          if (!isProper) {
            const { status, details } = ended;
            const shown = JSON.stringify(fields).slice(0, 80);
            improper.push({
              name,
              path: method.path,
              shown,
              status,
              details: details.slice(0, 200),
            });
          }
        }
    }
    expect(improper).toEqual([]);
    expect(calls).toBeGreaterThan(300);
    expect(await watch.troubles()).toEqual([]);
  });

  function hostileFields(method: AnyMethod): readonly Record<string, unknown>[] {
    const empty = method.requestDeserialize(Buffer.alloc(0)) as Record<string, unknown>;
    return Object.entries(empty).flatMap(([field, value]): Record<string, unknown>[] => {
      if (typeof value === 'string') return HOSTILE_TEXTS.map((text) => ({ [field]: text }));
      if (typeof value === 'number') return HOSTILE_NUMBERS.map((number) => ({ [field]: number }));
      return [];
    });
  }

  const span = (seconds: bigint | number, nanos = 0) => ({ seconds: BigInt(seconds), nanos });
  const threshold = (value: number, more: object = {}) => ({
    thresholds: [
      { diagnostic: 'db.connection-use', threshold: 'useCriticalRatio', value, ...more },
    ],
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['an empty id', { diagnostics: [''] }, 'diagnostics'],
    ['an id of another doctor', { diagnostics: ['cache.memory'] }, 'diagnostics'],
    ['a huge id', { diagnostics: [HUGE] }, 'diagnostics'],
    [
      '10,000 ids',
      { diagnostics: Array.from({ length: 10_000 }, (_, i) => `db.${i}`) },
      'diagnostics',
    ],
    ['an empty target', { targets: [''] }, 'targets'],
    ['a huge target', { targets: [HUGE] }, 'targets'],
    ['a negative window', { window: span(-60) }, 'window'],
    ['a window of centuries', { window: span(10n ** 11n) }, 'window'],
    ['nanoseconds beyond a second', { window: span(0, -999_999_999) }, 'window'],
    ['a negative budget', { budget: span(-1) }, 'budget'],
    ['no budget at all', { budget: span(0) }, 'budget'],
    ['a budget of centuries', { budget: span(2n ** 62n) }, 'budget'],
    ['a threshold of nobody', threshold(1, { diagnostic: 'db.x' }), 'thresholds.diagnostic'],
    ['a threshold of no name', threshold(1, { threshold: '' }), 'thresholds.db.connection-use'],
    [
      'a threshold that is every object’s',
      threshold(1, { threshold: '__proto__' }),
      'thresholds.db.connection-use',
    ],
    [
      'a threshold of every object',
      threshold(1, { diagnostic: '__proto__' }),
      'thresholds.diagnostic',
    ],
  ])('Examine with %s: INVALID_ARGUMENT that names the field', async (_, fields, field) => {
    const ended = await trusted(stage.backstage.ports.dbDoctor).call(doctor.examine, fields);
    expect(ended).toMatchObject({ status: 'INVALID_ARGUMENT', reason: 'WIRE_INVALID', field });
    expect(ended.details.length).toBeLessThan(4000);
    expect(ended.messages).toEqual([]);
  });

  it.each([Number.NaN, -1, Infinity])('Examine with a threshold of %d: refused', async (value) => {
    const { ports } = stage.backstage;
    const caller = trusted(ports.dbDoctor);
    const { messages } = await caller.call(doctor.describe, {});
    const [name] = Object.keys(thresholdsOf(messages[0], 'db.connection-use'));
    const ended = await caller.call(doctor.examine, threshold(value, { threshold: name }));
    expect(ended).toMatchObject({
      status: 'INVALID_ARGUMENT',
      field: `thresholds.db.connection-use.${name}`,
    });
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['an empty target', { targets: [''] }, 'targets'],
    ['10,000 targets', { targets: Array.from({ length: 10_000 }, (_, i) => `t${i}`) }, 'targets'],
    ['a huge diagnostic', { diagnostics: [HUGE] }, 'diagnostics'],
    ['a negative window', { window: span(-1) }, 'window'],
    ['a budget of centuries', { budget: span(2n ** 62n) }, 'budget'],
    ['no budget at all', { budget: span(0) }, 'budget'],
  ])('Sweep with %s: INVALID_ARGUMENT that names the field', async (_, fields, field) => {
    const ended = await trusted(stage.backstage.ports.orchestrator).call(
      orchestrator.sweep,
      fields,
    );
    expect(ended).toMatchObject({ status: 'INVALID_ARGUMENT', reason: 'WIRE_INVALID', field });
    expect(ended.details.length).toBeLessThan(4000);
  });

  it.each<[string, string, AnyMethod, Record<string, unknown>, object]>([
    [
      'a page of minus one',
      'db',
      doctor.describe,
      { pageSize: -1 },
      { status: 'INVALID_ARGUMENT', field: 'page_size' },
    ],
    [
      'a page token of nobody',
      'db',
      doctor.describe,
      { pageToken: 'abc' },
      { status: 'INVALID_ARGUMENT', field: 'page_token' },
    ],
    [
      '10,000 keys',
      'db',
      doctor.resolveEntities,
      {
        keys: Array.from({ length: 10_000 }, (_, i) => ({ kind: 'pod', name: `p${i}`, scope: '' })),
      },
      { status: 'INVALID_ARGUMENT', field: 'keys' },
    ],
    [
      'keys of no kind',
      'db',
      doctor.resolveEntities,
      { keys: [{ kind: '', name: HUGE, scope: '\u0000' }] },
      { status: 'OK' },
    ],
    [
      'grants of no target',
      'db',
      doctor.adviseGrants,
      {},
      { status: 'NOT_FOUND', field: 'target' },
    ],
    [
      'a remedy of no id',
      'db',
      doctor.planRemedy,
      { target: 'orders' },
      { status: 'NOT_FOUND', field: 'remedy' },
    ],
    [
      'a remedy on no target',
      'db',
      doctor.planRemedy,
      { remedy: 'db.terminate-idle-sessions' },
      { status: 'NOT_FOUND', field: 'target' },
    ],
    [
      'a remedy without parameters, which would mean everything',
      'db',
      doctor.planRemedy,
      { remedy: 'db.terminate-idle-sessions', target: 'orders' },
      { status: 'INVALID_ARGUMENT', field: 'params' },
    ],
    [
      'a parameter without a value',
      'db',
      doctor.planRemedy,
      {
        remedy: 'db.terminate-idle-sessions',
        target: 'orders',
        params: { application: { value: undefined } },
      },
      { status: 'INVALID_ARGUMENT' },
    ],
    [
      'a parameter of nobody',
      'db',
      doctor.planRemedy,
      {
        remedy: 'db.terminate-idle-sessions',
        target: 'orders',
        params: columnsToProto({ application: 'x', everybody: true }),
      },
      { status: 'INVALID_ARGUMENT', reason: 'REMEDY_PARAMETERS' },
    ],
    [
      'receipts of nobody',
      'db',
      doctor.planRemedy,
      { remedy: 'db.terminate-idle-sessions', target: 'orders', undoReceipts: ['e30.e30'] },
      { status: 'PERMISSION_DENIED', reason: 'REMEDY_SEAL' },
    ],
    [
      'an incident of nobody',
      'orchestrator',
      orchestrator.getIncident,
      { incident: 'INC-999999' },
      { status: 'NOT_FOUND', field: 'incident' },
    ],
    [
      'a page of minus one of incidents',
      'orchestrator',
      orchestrator.listIncidents,
      { pageSize: -1 },
      { status: 'INVALID_ARGUMENT', field: 'page_size' },
    ],
    [
      'a page token of nobody of incidents',
      'orchestrator',
      orchestrator.listIncidents,
      { pageToken: `INC-1'; --` },
      { status: 'INVALID_ARGUMENT', field: 'page_token' },
    ],
    [
      'an approval of no hash',
      'orchestrator',
      orchestrator.approvePlan,
      { plan: 'INC-1.1', reason: 'x' },
      { status: 'INVALID_ARGUMENT', field: 'hash' },
    ],
    [
      'an approval without a reason',
      'orchestrator',
      orchestrator.approvePlan,
      { plan: 'INC-1.1', hash: `sha256:${'0'.repeat(64)}` },
      { status: 'INVALID_ARGUMENT', field: 'reason' },
    ],
    [
      'an approval for centuries',
      'orchestrator',
      orchestrator.approvePlan,
      {
        plan: 'INC-1.1',
        hash: `sha256:${'0'.repeat(64)}`,
        reason: 'x',
        validFor: { seconds: 2n ** 62n, nanos: 0 },
      },
      { status: 'INVALID_ARGUMENT', field: 'valid_for' },
    ],
    [
      'a plan of nobody to apply',
      'orchestrator',
      orchestrator.applyPlan,
      { plan: 'INC-1.1', hash: `sha256:${'0'.repeat(64)}` },
      { status: 'NOT_FOUND', field: 'plan' },
    ],
    [
      'a state accepted without an end',
      'orchestrator',
      orchestrator.acceptState,
      { diagnostic: 'db.connection-use', target: 'orders', reason: 'x' },
      { status: 'INVALID_ARGUMENT', field: 'until' },
    ],
    [
      'a state accepted until a year that no date has',
      'orchestrator',
      orchestrator.acceptState,
      {
        diagnostic: 'db.connection-use',
        target: 'orders',
        reason: 'x',
        until: { seconds: 2n ** 62n, nanos: 0 },
      },
      { status: 'INVALID_ARGUMENT', field: 'until' },
    ],
    [
      'a trace of no id',
      'orchestrator',
      orchestrator.getTrace,
      { traceId: 'zz' },
      { status: 'INVALID_ARGUMENT', field: 'trace_id' },
    ],
    [
      'processes of a page of minus one',
      'resilience',
      resilience.listProcesses,
      { pageSize: -1 },
      { status: 'INVALID_ARGUMENT', field: 'page_size' },
    ],
    [
      'an attachment that does not say hello',
      'resilience',
      resilience.attach,
      { message: { $case: 'goodbye', value: {} } },
      { status: 'INVALID_ARGUMENT' },
    ],
    [
      'an attachment of nobody',
      'resilience',
      resilience.attach,
      { message: { $case: 'hello', value: { service: '', instance: '', version: '', pid: 0 } } },
      { status: 'INVALID_ARGUMENT' },
    ],
  ])('%s: refused with what is wrong', async (_, service, method, fields, expected) => {
    const { ports } = stage.backstage;
    const port = {
      db: ports.dbDoctor,
      orchestrator: ports.orchestrator,
      resilience: ports.resilience,
    }[service as 'db' | 'orchestrator' | 'resilience'];
    expect(await trusted(port).call(method, fields)).toMatchObject(expected);
  });

  describe('forged and replayed seals and grants', () => {
    const APPLICATION = 'forgotten';
    let seal = '';
    let hash = '';
    let operationId = '';
    let privateKey = '';
    let fault: Awaited<ReturnType<typeof leakConnections>>;

    beforeAll(async () => {
      ({ grantPrivateKeyPem: privateKey } = await readStateFiles(stage.backstage.stateDir));
      fault = await leakConnections(stage.postgres, 3, {
        user: 'checkout',
        applicationName: APPLICATION,
      });
      const plan = await waitUntil(planToEnd, { what: 'sessions that are idle for a second' });
      ({ seal, hash } = plan);
      operationId = plan.operations[0]!.id;
    });
    afterAll(() => fault.end());

    async function planToEnd() {
      const { messages } = await trusted(stage.backstage.ports.dbDoctor).call(doctor.planRemedy, {
        remedy: 'db.terminate-idle-sessions',
        target: 'orders',
        params: columnsToProto({ application: APPLICATION, idleFloorMs: 1000, maxShare: 1 }),
      });
      return messages.map((message) => planIn(message)).find((plan) => plan !== undefined);
    }
    const grantFor = (more: object = {}, key = privateKey) =>
      signGrant(
        {
          v: 1,
          planHash: hash,
          operationId,
          actor: 'spec',
          reason: 'spec',
          expiresAt: new Date(Date.now() + 60_000).toISOString(),
          ...more,
        },
        key,
      );
    const apply = (fields: object) =>
      trusted(stage.backstage.ports.dbDoctor).call(doctor.applyOperation, {
        seal,
        operationId,
        grant: grantFor(),
        ...fields,
      });
    const sessions = async () =>
      Number(
        (
          await stage.postgres.query(
            'SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name = $1',
            [APPLICATION],
          )
        )[0]?.['count'],
      );
    const flipped = (text: string, at: number) =>
      `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;

    it.each<[string, () => object, string]>([
      ['no grant', () => ({ grant: '' }), 'REMEDY_GRANT'],
      ['a grant of bytes', () => ({ grant: HUGE }), 'REMEDY_GRANT'],
      [
        'a grant signed with another key',
        () => ({ grant: grantFor({}, createGrantKeys().privateKeyPem) }),
        'REMEDY_GRANT',
      ],
      ['a grant that was changed', () => ({ grant: flipped(grantFor(), 5) }), 'REMEDY_GRANT'],
      [
        'a grant that has expired',
        () => ({ grant: grantFor({ expiresAt: new Date(Date.now() - 1).toISOString() }) }),
        'REMEDY_GRANT',
      ],
      [
        'a grant for another plan',
        () => ({ grant: grantFor({ planHash: `sha256:${'0'.repeat(64)}` }) }),
        'REMEDY_GRANT',
      ],
      [
        'a grant for another operation',
        () => ({ grant: grantFor({ operationId: 'p0.1' }) }),
        'REMEDY_GRANT',
      ],
      ['no seal', () => ({ seal: '' }), 'REMEDY_SEAL'],
      ['a seal that was changed', () => ({ seal: flipped(seal, 20) }), 'REMEDY_SEAL'],
      ['a seal with the end cut off', () => ({ seal: seal.slice(0, -1) }), 'REMEDY_SEAL'],
      ['a seal made by itself', () => ({ seal: `${seal.split('.')[0]}.` }), 'REMEDY_SEAL'],
      [
        'an operation that the plan does not have',
        () => ({ operationId: 'p0.9', grant: grantFor({ operationId: 'p0.9' }) }),
        'REMEDY_SEAL',
      ],
    ])('%s: PERMISSION_DENIED, and nobody is ended', async (_, fields, reason) => {
      const ended = await apply(fields());
      expect(ended).toMatchObject({ status: 'PERMISSION_DENIED', reason, messages: [] });
      expect(ended.details).not.toContain(seal.slice(0, 20));
      expect(await sessions()).toBe(3);
    });

    it('the seal of one doctor is none of another', async () => {
      const { ports } = stage.backstage;
      for (const port of [ports.cacheDoctor, ports.k8sDoctor, ports.resilience])
        for (const method of [doctor.applyOperation, doctor.probeOperation, doctor.cancelOperation])
          expect(
            await trusted(port).call(method, { seal, operationId, grant: grantFor() }),
          ).toMatchObject({ status: 'PERMISSION_DENIED', reason: 'REMEDY_SEAL' });
    });

    it('a forged seal is neither probed nor cancelled', async () => {
      for (const method of [doctor.probeOperation, doctor.cancelOperation])
        expect(
          await trusted(stage.backstage.ports.dbDoctor).call(method, {
            seal: flipped(seal, 20),
            operationId,
          }),
        ).toMatchObject({ status: 'PERMISSION_DENIED', reason: 'REMEDY_SEAL' });
    });

    it('replayed, a seal and its grant get the same end again, and nothing is done twice', async () => {
      const first = await apply({});
      expect(first.status).toBe('OK');
      await waitUntil(async () => ((await sessions()) === 0 ? true : undefined), {
        what: 'the sessions to end',
      });
      await using _again = await leakConnections(stage.postgres, 2, {
        user: 'checkout',
        applicationName: APPLICATION,
      });
      const again = await apply({});
      expect(again.status).toBe('OK');
      expect(again.messages.at(-1)).toEqual(first.messages.at(-1));
      expect(await sessions()).toBe(2);
    });

    it('what the doctor sealed before it was killed is not applied by the next one', async () => {
      await using _again = await leakConnections(stage.postgres, 2, {
        user: 'checkout',
        applicationName: APPLICATION,
      });
      const plan = await waitUntil(planToEnd, { what: 'sessions that are idle for a second' });
      ({ seal, hash } = plan);
      operationId = plan.operations[0]!.id;
      expect(await watch.troubles()).toEqual([]); // all of the above has harmed nobody
      const before = (await stage.services.pids())['db-doctor']!;
      process.kill(before, 'SIGKILL');
      await waitUntil(
        async () => ((await stage.services.pids())['db-doctor'] === before ? undefined : true),
        { what: 'starr up to start db-doctor again', withinMs: 30_000 },
      );
      const ended = await waitUntil(
        async () => {
          const each = await apply({});
          return each.status === 'UNAVAILABLE' ? undefined : each; // the channel knocks again in its time
        },
        { what: 'an answer of the next life' },
      );
      expect(ended).toMatchObject({ status: 'PERMISSION_DENIED', reason: 'REMEDY_SEAL' });
      expect(ended.details).toContain('earlier life');
      expect(await sessions()).toBe(2);
    });
  });
});

interface ShownPlan {
  readonly seal: string;
  readonly hash: string;
  readonly operations: readonly { readonly id: string }[];
}

function planIn(message: unknown): ShownPlan | undefined {
  const { event } = message as { event?: { $case: string; value: unknown } };
  return event?.$case === 'plan' ? (event.value as ShownPlan) : undefined;
}

function thresholdsOf(described: unknown, id: string): Readonly<Record<string, unknown>> {
  const { diagnostics } = described as {
    diagnostics: readonly { id: string; thresholds: Record<string, unknown> }[];
  };
  return diagnostics.find((each) => each.id === id)?.thresholds ?? {};
}
