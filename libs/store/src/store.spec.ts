import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { answerSweep, catalogIndex } from '@starr/incident';
import type { CheckResult, SealedPlan } from '@starr/kernel';
import pg from 'pg';
import { createDatabase } from './database.ts';
import { migrateDatabase } from './migrate.ts';
import { MIGRATIONS } from './migrations.ts';
import { targetsThatAreTheStore } from './own-target.ts';
import type { Proposal } from './plans.ts';
import { openStore, type Store } from './store.ts';
import { startTestServer, type TestServer } from './test/test-server.ts';

let server: TestServer;
let url: string;
let store: Store;

beforeAll(async () => {
  server = await startTestServer();
}, 60_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});
beforeEach(async () => {
  url = await server.newDatabase();
  store = openStore({ url });
});
afterEach(async () => {
  await store.close();
});

/** The bound is 1 s; on a loaded machine timers come late. */
const LATE_TIMERS_MS = 1500;
const HASH = `sha256:${'a'.repeat(64)}`;
const OTHER_HASH = `sha256:${'b'.repeat(64)}`;
const AT = new Date('2026-11-24T03:12:08.123Z');

const orders = { kind: 'postgres', name: 'orders' };
const result: CheckResult = {
  diagnostic: 'db.connection-use',
  target: 'orders',
  verdict: {
    measured: [{ name: 'usedRatio', about: orders, value: 0.95, limit: 0.9 }],
    findings: [
      {
        severity: 'critical',
        about: orders,
        says: 'slots 93 of 97',
        since: AT,
        measured: [],
        rows: [
          {
            queryid: 9_007_199_254_740_993n,
            started: { moment: '2026-11-24T03:05:40.123456Z' },
            bytes: new Uint8Array([1, 2]),
            name: 'a\u0000b\uD800',
          },
        ],
      },
    ],
  },
  relations: [],
  observedFrom: AT,
  observedTo: AT,
  thresholds: { critical: 0.9 },
  footprint: { queries: 1 },
};

const answer = answerSweep({
  environment: 'prod-eu',
  startedAt: AT,
  endedAt: AT,
  results: [result],
  playbooks: [],
  catalog: catalogIndex([]),
});

function sealed(overrides: Partial<SealedPlan> = {}): SealedPlan {
  return {
    remedy: 'db.terminate-idle-sessions',
    target: 'orders',
    operations: [
      {
        id: 'op-1',
        says: 'end a session',
        byHand: 'SELECT pg_terminate_backend(1)',
        reversible: false,
        onRefused: 'continue',
        onFailed: 'stop',
      },
    ],
    effect: {
      diagnostic: 'db.connection-use',
      about: orders,
      measurement: 'usedRatio',
      below: 0.8,
      settleMs: 1,
      holdMs: 2,
      withinMs: 3,
      onMiss: 'ask',
    },
    touches: [],
    warnings: [],
    hash: HASH,
    seal: 'seal',
    expiresAt: AT,
    ...overrides,
  };
}

const proposal: Proposal = {
  role: 'relieve',
  says: 'end 77 leaked sessions',
  cause: 'connection-leak',
  remedy: 'db.terminate-idle-sessions',
  target: 'orders',
  params: { application: 'checkout', queryid: 9_007_199_254_740_993n },
};

async function openIncident(fingerprint = 'leak|checkout') {
  return store.incidents.open({
    environment: 'prod-eu',
    openedBy: { kind: 'person', name: 'ada' },
    fingerprint,
    title: 'checkout leaks',
  });
}

async function plannedPlan(target = 'orders', fingerprint = 'leak|checkout') {
  const incident = await openIncident(fingerprint);
  const [plan] = await store.plans.propose(incident.id, undefined, [{ ...proposal, target }]);
  return store.plans.seal(plan!.id, 'db-doctor', sealed({ target }), 'ada');
}

async function approvedPlan(target?: string, fingerprint?: string, validMs = 60_000) {
  const plan = await plannedPlan(target, fingerprint);
  return store.plans.approve(plan.id, { hash: HASH, actor: 'ada', reason: 'full', validMs });
}

async function approvedLongPlan(fingerprint: string, longs: readonly boolean[]) {
  const { id } = await plannedPlan('orders', fingerprint);
  const [one] = sealed().operations;
  const operations = longs.map((isLong, position) => ({ ...one!, id: `op-${position}`, isLong }));
  await store.plans.seal(id, 'db-doctor', sealed({ operations }), 'ada');
  return store.plans.approve(id, { hash: HASH, actor: 'ada', reason: 'slow', validMs: 60_000 });
}

describe('migrations', () => {
  it('let eight orchestrators that start at once share one schema', async () => {
    const stores = Array.from({ length: 8 }, () => openStore({ url, callTimeoutMs: 10_000 }));
    await Promise.all(stores.map((each) => each.ping()));
    const [row] = await server.query(url, 'SELECT count(*)::int AS n FROM starr.migrations');
    expect(row).toEqual({ n: MIGRATIONS.length });
    await Promise.all(stores.map((each) => each.close()));
  });

  it('refuse a store that a newer version migrated, and one whose migration differs', async () => {
    const database = createDatabase({ url });
    await migrateDatabase(database);
    await expect(migrateDatabase(database, [])).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    const changed = [{ ...MIGRATIONS[0]!, sql: `${MIGRATIONS[0]!.sql} ` }];
    await expect(migrateDatabase(database, changed)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      rawMessage: expect.stringContaining('differs'),
    });
    await database.close();
  });

  it('leave nothing behind when one of them fails', async () => {
    const database = createDatabase({ url });
    const broken = [
      ...MIGRATIONS,
      { name: '0002-broken', sql: 'CREATE TABLE starr.x (); SELECT 1/0' },
    ];
    await expect(migrateDatabase(database, broken)).rejects.toMatchObject({ code: 'INTERNAL' });
    const rows = await server.query(url, `SELECT to_regclass('starr.sweeps') AS there`);
    expect(rows).toEqual([{ there: null }]);
    await database.close();
  });

  it('name the cure when the role may not create a schema', async () => {
    await server.query(url, 'DROP ROLE IF EXISTS plain; CREATE ROLE plain LOGIN');
    const plain = openStore({ url: url.replace('postgres@', 'plain@') });
    await expect(plain.ping()).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      details: { cure: expect.stringContaining('GRANT CREATE') },
    });
    await plain.close();
  });
});

describe('sweeps', () => {
  it('give back their evidence as it was, to the last digit', async () => {
    const head = {
      id: 'S1',
      environment: 'prod-eu',
      requestedBy: 'ada',
      asked: {},
      startedAt: AT,
    };
    await store.sweeps.save({ ...head, state: 'running' });
    await store.sweeps.save({
      ...head,
      state: 'answered',
      endedAt: AT,
      traceId: 'a'.repeat(32),
      evidence: { results: [result], endedAt: AT },
      answer,
    });
    const stored = await store.sweeps.get('S1');
    const rows = stored?.evidence?.results[0]?.verdict.findings?.[0]?.rows;
    expect(rows?.[0]).toEqual({
      queryid: 9_007_199_254_740_993n,
      started: { moment: '2026-11-24T03:05:40.123456Z' },
      bytes: new Uint8Array([1, 2]),
      name: 'a\uFFFDb\uFFFD',
    });
    expect(stored?.evidence?.results[0]?.observedFrom).toEqual(AT);
    expect(stored?.answer).toMatchObject({ headline: answer.headline, startedAt: AT });
    expect(await store.sweeps.tracesBeginning('prod-eu', 'aaaaaaaa')).toEqual(['a'.repeat(32)]);
    expect(await store.sweeps.tracesBeginning('prod-eu', 'b')).toEqual([]);
    expect(await store.sweeps.tracesBeginning('other', 'a')).toEqual([]);
    expect(await store.sweeps.get('S2')).toBeUndefined();
  });
});

describe('incidents', () => {
  it('are one while the same trouble is open, without gaps in their numbers', async () => {
    const first = await openIncident();
    const again = await openIncident();
    const other = await openIncident('other');
    expect([first.id, again.id, other.id]).toEqual(['INC-1', 'INC-1', 'INC-2']);
    expect(await store.incidents.resolve('INC-1')).toBe(true);
    expect((await openIncident()).id).toBe('INC-3');
    expect(await store.incidents.resolve('INC-99')).toBe(false);
  });

  it('are one when thirty ask at once', async () => {
    await store.ping();
    const opened = await Promise.all(Array.from({ length: 30 }, () => openIncident()));
    expect(new Set(opened.map(({ id }) => id)).size).toBe(1);
  });

  it('keep their sweeps in order, their record and are listed newest first', async () => {
    const incident = await openIncident();
    for (const id of ['S1', 'S2']) {
      const at = { startedAt: AT, endedAt: AT };
      const head = { id, environment: 'prod-eu', requestedBy: 'ada', asked: {}, ...at };
      await store.sweeps.save({ ...head, state: 'answered' });
      await store.incidents.attach(incident.id, id, 'a better title');
    }
    await store.incidents.setRecord(incident.id, { situation: 'full' });
    const other = await openIncident('other');
    expect(await store.incidents.get(incident.id)).toMatchObject({
      sweeps: ['S1', 'S2'],
      title: 'a better title',
      record: { situation: 'full' },
    });
    const ids = (await store.incidents.list(10)).map(({ id }) => id);
    expect(ids).toEqual([other.id, incident.id]);
    const before = (await store.incidents.list(10, other.id)).map(({ id }) => id);
    expect(before).toEqual([incident.id]);
  });
});

describe('plans', () => {
  it('number proposals once, and anew when one has acted', async () => {
    const incident = await openIncident();
    const cure: Proposal = { ...proposal, role: 'cure', remedy: 'k8s.rollback', target: 'prod' };
    const [one, two] = await store.plans.propose(incident.id, undefined, [proposal, cure]);
    expect([one?.id, two?.id]).toEqual(['INC-1.1', 'INC-1.2']);
    const [again] = await store.plans.propose(incident.id, undefined, [proposal]);
    expect(again?.id).toBe('INC-1.1');
    expect(again?.params).toEqual(proposal.params);
    await store.plans.seal('INC-1.1', 'db-doctor', sealed(), 'ada');
    await store.plans.approve('INC-1.1', { hash: HASH, actor: 'a', reason: 'r', validMs: 9999 });
    await store.plans.start('INC-1.1', HASH, 'a');
    const [anew] = await store.plans.propose(incident.id, undefined, [proposal]);
    expect(anew?.id).toBe('INC-1.3');
    await expect(store.plans.propose('INC-9', undefined, [proposal])).rejects.toMatchObject({
      code: 'INCIDENT_UNKNOWN',
    });
  });

  it('are approved by their hash alone, and lose the approval when sealed anew', async () => {
    const plan = await plannedPlan();
    const approval = { actor: 'ada', reason: 'full', validMs: 60_000 };
    await expect(
      store.plans.approve(plan.id, { ...approval, hash: OTHER_HASH }),
    ).rejects.toMatchObject({ code: 'PLAN_NOT_APPROVED' });
    const approved = await store.plans.approve(plan.id, { ...approval, hash: HASH });
    expect(approved.approval).toMatchObject({ actor: 'ada', reason: 'full' });
    await store.plans.seal(plan.id, 'db-doctor', sealed({ hash: OTHER_HASH }), 'ada');
    await expect(store.plans.start(plan.id, HASH, 'ada')).rejects.toMatchObject({
      code: 'PLAN_NOT_APPROVED',
    });
    await expect(store.plans.start(plan.id, OTHER_HASH, 'ada')).rejects.toMatchObject({
      code: 'PLAN_NOT_APPROVED',
    });
    await expect(store.plans.get('INC-9.9')).resolves.toBeUndefined();
    await expect(store.plans.start('INC-9.9', HASH, 'ada')).rejects.toMatchObject({
      code: 'PLAN_UNKNOWN',
    });
  });

  it('do not start on an approval that has expired', async () => {
    const plan = await approvedPlan('orders', 'x', 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await expect(store.plans.start(plan.id, HASH, 'ada')).rejects.toMatchObject({
      code: 'PLAN_NOT_APPROVED',
      rawMessage: expect.stringContaining('expired'),
    });
  });

  it('never act twice at once on one target, and start only once', async () => {
    const first = await approvedPlan('orders', 'a');
    const second = await approvedPlan('orders', 'b');
    const elsewhere = await approvedPlan('payments', 'c');
    const started = await Promise.allSettled([
      store.plans.start(first.id, HASH, 'ada'),
      store.plans.start(second.id, HASH, 'bob'),
      store.plans.start(elsewhere.id, HASH, 'bob'),
    ]);
    const codes = started.map((each) =>
      each.status === 'fulfilled' ? 'started' : (each.reason as { code: string }).code,
    );
    expect(codes.slice(0, 2).sort()).toEqual(['REMEDY_BUSY', 'started']);
    expect(codes[2]).toBe('started');
    const winner = codes[0] === 'started' ? first : second;
    await expect(store.plans.start(winner.id, HASH, 'ada')).rejects.toMatchObject({
      code: 'PLAN_NOT_APPROVED',
    });
  });

  it('let what is urgent act beside what is long, and never two of a kind', async () => {
    const isLong = true;
    const long = await approvedLongPlan('a', [isLong]);
    const urgent = await approvedPlan('orders', 'b');
    const otherLong = await approvedLongPlan('c', [isLong]);
    const longInPart = await approvedLongPlan('d', [isLong, !isLong]);
    await store.plans.start(long.id, HASH, 'ada');
    await store.plans.start(urgent.id, HASH, 'ada');
    for (const { id } of [otherLong, longInPart])
      await expect(store.plans.start(id, HASH, 'ada')).rejects.toMatchObject({
        code: 'REMEDY_BUSY',
      });
    await store.plans.move(long.id, ['applying'], 'failed');
    await store.plans.start(otherLong.id, HASH, 'ada');
    await store.plans.move(urgent.id, ['applying'], 'failed');
    await store.plans.start(longInPart.id, HASH, 'ada');
  });

  it('supersede one that is only being verified on the same target', async () => {
    const first = await approvedPlan('orders', 'a');
    const second = await approvedPlan('orders', 'b');
    await store.plans.start(first.id, HASH, 'ada');
    expect(await store.plans.move(first.id, ['applying'], 'verifying')).toBe(true);
    await store.plans.start(second.id, HASH, 'ada');
    expect((await store.plans.get(first.id))?.state).toBe('superseded');
    expect(await store.plans.move(first.id, ['verifying'], 'established')).toBe(false);
    expect((await store.plans.unfinished()).map(({ id }) => id)).toEqual([second.id]);
    expect((await store.plans.list(undefined, 10)).length).toBe(2);
  });
});

describe('leases', () => {
  it('have one owner at a time and a fence that grows', async () => {
    const first = await store.leases.acquire('plan/INC-1.1', 'one', 10_000);
    expect(first?.fence).toBe(1n);
    expect(await store.leases.acquire('plan/INC-1.1', 'two', 10_000)).toBeUndefined();
    expect(await store.leases.remainingMs(first!)).toBeGreaterThan(9000);
    await store.leases.release(first!);
    const second = await store.leases.acquire('plan/INC-1.1', 'two', 10_000);
    expect(second?.fence).toBe(2n);
    expect(await store.leases.renew(first!, 10_000)).toBe(false);
    expect(await store.leases.remainingMs(first!)).toBe(0);
    expect(await store.leases.renew(second!, 20_000)).toBe(true);
  });

  it('pass to another owner when they run out', async () => {
    await store.leases.acquire('x', 'one', 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await store.leases.acquire('x', 'two', 1000))?.fence).toBe(2n);
  });
});

describe('the journal', () => {
  async function intended() {
    const plan = await approvedPlan();
    await store.plans.start(plan.id, HASH, 'ada');
    const lease = (await store.leases.acquire(`plan/${plan.id}`, 'one', 10_000))!;
    const intent = { operation: 'op-1', plan: plan.id, position: 0, actor: 'ada' };
    await store.journal.intend(intent, lease);
    return { plan, lease, intent };
  }

  it('takes one intent an operation, and none without the lease', async () => {
    const { lease, intent } = await intended();
    await expect(store.journal.intend(intent, lease)).rejects.toMatchObject({
      code: 'REMEDY_REFUSED',
    });
    await store.leases.release(lease);
    await expect(
      store.journal.intend({ ...intent, operation: 'op-2', position: 1 }, lease),
    ).rejects.toMatchObject({ code: 'REMEDY_BUSY' });
    expect((await store.journal.ofPlan(intent.plan)).map(({ operation }) => operation)).toEqual([
      'op-1',
    ]);
  });

  it('keeps one final outcome; only indeterminate may be followed', async () => {
    const { plan } = await intended();
    expect((await store.journal.open()).map(({ operation }) => operation)).toEqual(['op-1']);
    const lost = { outcome: 'indeterminate', says: 'lost', knownBy: 'answer' } as const;
    expect(await store.journal.conclude('op-1', lost)).toBe(true);
    expect(await store.journal.conclude('op-1', lost)).toBe(false);
    expect(await store.journal.open()).toHaveLength(1);
    const applied = { outcome: 'applied', says: 'done', knownBy: 'probe', receipt: 'r' } as const;
    const tombstoned = { outcome: 'not-applied', says: 'not', knownBy: 'probe' } as const;
    const both = await Promise.all([
      store.journal.conclude('op-1', applied),
      store.journal.conclude('op-1', tombstoned),
    ]);
    expect(both.filter(Boolean)).toHaveLength(1);
    expect(await store.journal.open()).toEqual([]);
    const [entry] = await store.journal.ofPlan(plan.id);
    expect(['applied', 'not-applied']).toContain(entry?.outcome?.outcome);
  });

  it('and every step before it stand in the audit, with who and why', async () => {
    const { plan } = await intended();
    await store.journal.conclude('op-1', { outcome: 'applied', says: 'done', knownBy: 'answer' });
    const rows = await store.audit.list('INC-1', 20);
    expect(rows.map(({ action, actor, reason }) => [action, actor, reason])).toEqual([
      ['plan.seal', 'ada', undefined],
      ['plan.approve', 'ada', 'full'],
      ['plan.apply', 'ada', 'full'],
      ['operation.intend', 'ada', undefined],
      ['operation.applied', 'ada', undefined],
    ]);
    expect(rows.map(({ subject }) => subject)).toEqual(Array(5).fill(plan.id));
  });

  it.each(['intents', 'outcomes'])('lets nobody change or delete %s', async (table) => {
    await intended();
    await store.journal.conclude('op-1', { outcome: 'failed', says: 'no', knownBy: 'answer' });
    await expect(server.query(url, `DELETE FROM starr.${table}`)).rejects.toThrow('append-only');
    await expect(server.query(url, `UPDATE starr.${table} SET operation = 'x'`)).rejects.toThrow(
      'append-only',
    );
  });
});

describe('the audit', () => {
  it('is append-only, also for the superuser, and lists an incident with its plans', async () => {
    await store.audit.append({
      actor: 'ada',
      action: 'plan.approve',
      subject: 'INC-1.1',
      reason: 'x',
    });
    await store.audit.append({ actor: 'ada', action: 'incident.open', subject: 'INC-1' });
    await store.audit.append({ actor: 'ada', action: 'incident.open', subject: 'INC-10' });
    const listed = await store.audit.list('INC-1', 10);
    expect(listed.map(({ subject }) => subject)).toEqual(['INC-1.1', 'INC-1']);
    for (const sql of ['DELETE FROM', 'TRUNCATE'])
      await expect(server.query(url, `${sql} starr.audit`)).rejects.toThrow('append-only');
    await expect(server.query(url, `UPDATE starr.audit SET actor = 'x'`)).rejects.toThrow(
      'append-only',
    );
  });
});

describe('accepted states', () => {
  it('hold until their day, replace each other and can be revoked', async () => {
    const state = { diagnostic: 'cache.memory', target: 'sessions', acceptedBy: 'ada' };
    const tomorrow = new Date(Date.now() + 86_400_000);
    await store.accepted.accept({ ...state, until: tomorrow, reason: 'known' });
    await store.accepted.accept({ ...state, until: tomorrow, reason: 'better known' });
    await store.accepted.accept({ ...state, target: 'old', until: new Date(0), reason: 'past' });
    expect(await store.accepted.inForce()).toMatchObject([{ reason: 'better known' }]);
    expect(await store.accepted.revoke('cache.memory', 'sessions')).toBe(true);
    expect(await store.accepted.revoke('cache.memory', 'sessions')).toBe(false);
    expect(await store.accepted.inForce()).toEqual([]);
  });
});

describe('a store that does not answer', () => {
  async function timed(work: Promise<unknown>): Promise<{ code: unknown; tookMs: number }> {
    const startedMs = performance.now();
    const code = await work.then(
      () => 'answered',
      (thrown: unknown) => (thrown as { code: unknown }).code,
    );
    return { code, tookMs: performance.now() - startedMs };
  }

  it('is away within a second when nothing listens', async () => {
    const nowhere = openStore({ url: 'postgresql://postgres@127.0.0.1:1/x' });
    const { code, tookMs } = await timed(nowhere.ping());
    expect(code).toBe('STORE_UNAVAILABLE');
    expect(tookMs).toBeLessThan(1000);
    await nowhere.close();
  });

  it.each(['before the first call', 'after it'])(
    'is away within its bound when the server hangs %s, and back when it goes on',
    async (when) => {
      if (when === 'after it') await store.ping();
      server.server.pause();
      try {
        for (let call = 0; call < 2; call += 1) {
          const { code, tookMs } = await timed(store.ping());
          expect(code).toBe('STORE_UNAVAILABLE');
          expect(tookMs).toBeLessThan(1000 + LATE_TIMERS_MS);
        }
      } finally {
        server.server.resume();
      }
      await expect(eventuallyPings()).resolves.toBeUndefined();
    },
  );

  async function eventuallyPings(): Promise<void> {
    const giveUpAt = Date.now() + 5000;
    for (;;) {
      try {
        await store.ping();
        return;
      } catch (thrown) {
        if (Date.now() > giveUpAt) throw thrown;
      }
    }
  }

  it('does not wait on a row that somebody else holds, and keeps nothing of the call', async () => {
    const incident = await openIncident();
    const other = new pg.Client({ connectionString: url });
    await other.connect();
    await other.query('BEGIN');
    await other.query('SELECT * FROM starr.incidents FOR UPDATE');
    // A connection that took its time: the statement starts late, and must not outlive its caller for that.
    setTimeout(() => {
      server.server.resume();
    }, 150);
    server.server.pause();
    const { code, tookMs } = await timed(store.incidents.setRecord(incident.id, { late: true }));
    expect(code).toBe('STORE_UNAVAILABLE');
    expect(tookMs).toBeLessThan(1000 + LATE_TIMERS_MS);
    await other.query('COMMIT');
    await other.end();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await store.incidents.get(incident.id))?.record).toBeUndefined();
  });

  it('leaves no connection behind when its calls were cut off', async () => {
    await store.ping();
    server.server.pause();
    await Promise.allSettled(Array.from({ length: 20 }, () => store.ping()));
    server.server.resume();
    await eventuallyPings();
    await store.close();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const [row] = await server.query(
      url,
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'starr-store' AND datname = current_database()`,
    );
    expect(row).toEqual({ n: 0 });
    store = openStore({ url });
  });
});

describe('a store that is one of its own targets', () => {
  it('is found by address and port, whatever the name and the database', async () => {
    const target = (name: string, host: string, port: number) => ({ name, host, port });
    const own = await targetsThatAreTheStore('postgresql://starr@localhost:5433/starr', [
      target('same', '127.0.0.1', 5433),
      target('by name', 'localhost', 5433),
      target('by another name', '::1', 5433),
      target('other port', '127.0.0.1', 5432),
      target('other address', '127.0.3.1', 5433),
      target('not resolvable', 'no-such-host.invalid', 5433),
    ]);
    expect(own).toEqual(['same', 'by name', 'by another name']);
    expect(
      await targetsThatAreTheStore('postgresql://starr@db.invalid/starr', [
        target('default port', 'DB.invalid', 5432),
      ]),
    ).toEqual(['default port']);
  });

  it('has one identifier for all databases of a server', async () => {
    const neighbour = openStore({ url: await server.newDatabase() });
    expect(await neighbour.systemIdentifier()).toBe(await store.systemIdentifier());
    expect(await store.systemIdentifier()).toMatch(/^\d+$/);
    await neighbour.close();
  });
});
