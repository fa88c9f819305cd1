import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Breaker } from './breaker.ts';
import { Pipeline } from './pipeline.ts';
import { calls } from './test/held-calls.ts';
import { createFakeClock } from './test/fake-clock.ts';
import { startTracePort, type TracePort } from './test/trace-port.ts';
import { Timeout } from './timeout.ts';
import type { Transition } from './transitions.ts';

function setUp(failures = 3) {
  const clock = createFakeClock();
  const breaker = new Breaker('orders', {
    clock,
    jitter: 'none',
    recoveryMs: 1000,
    version: 'v7',
    measureLatency: true,
    opensOn: { kind: 'consecutive', failures },
  });
  const told: Transition[] = [];
  breaker.onTransition((transition) => told.push(transition));
  const fail = (code: string) =>
    breaker.run(() => Promise.reject(Object.assign(new Error('secret'), { code }))).catch(() => 0);
  return { clock, breaker, told, fail };
}

const traceOf = (digit: string) => digit.repeat(32);

let tracing: TracePort;
beforeEach(() => {
  tracing = startTracePort();
});
afterEach(() => {
  tracing.end();
});

describe('the evidence of a transition', () => {
  it('says which failures led to it, in which traces, and never what they said', async () => {
    const { fail, told, clock } = setUp();
    await tracing.within(traceOf('a'), () => fail('ECONNREFUSED'));
    clock.advance(5);
    await tracing.within(traceOf('b'), () => fail('ETIMEDOUT'));
    await tracing.within(traceOf('b'), () => fail('ETIMEDOUT'));
    const { evidence } = told[0]!;
    expect(evidence).toMatchObject({
      windowCalls: 3,
      windowFailures: 3,
      failuresByError: [
        { error: 'ETIMEDOUT', count: 2 },
        { error: 'ECONNREFUSED', count: 1 },
      ],
      traceIds: [traceOf('b'), traceOf('a')],
      latency: { calls: 3 },
      inFlight: 0,
      policyVersion: 'v7',
      touches: [],
    });
    expect(evidence.newestFailures.map(({ error }) => error)).toEqual([
      'ETIMEDOUT',
      'ETIMEDOUT',
      'ECONNREFUSED',
    ]);
    expect(JSON.stringify(told)).not.toContain('secret');
  });

  it('holds the newest 16 failures and 16 classes, however many there were', async () => {
    const { fail, told } = setUp(100);
    for (let nth = 0; nth < 100; nth++) await fail(`E${nth}`);
    const { newestFailures, failuresByError } = told[0]!.evidence;
    expect(newestFailures).toHaveLength(16);
    expect(newestFailures[0]?.error).toBe('E99');
    expect(newestFailures[15]?.error).toBe('E84');
    expect(failuresByError).toHaveLength(17);
    expect(failuresByError[0]).toEqual({ error: 'other', count: 84 });
  });

  it('is of this outage only: a recovery forgets the failures, not who touched the policy', async () => {
    const { fail, told, clock, breaker } = setUp(1);
    breaker.retune({ recoveryMs: 500 }, { by: 'ann', reason: 'ticket 7', version: 'v8' });
    breaker.override({ id: 'o', kind: 'hold-closed', leaseMs: 60_000, by: 'bob', reason: 'drill' });
    await fail('EOLD');
    clock.advance(500);
    await breaker.run(() => 1);
    await fail('ENEW');
    expect(told.map(({ why }) => why)).toEqual([
      'threshold',
      'recovery-due',
      'probes-succeeded',
      'threshold',
    ]);
    expect(told[3]!.evidence).toMatchObject({
      failuresByError: [{ error: 'ENEW', count: 1 }],
      policyVersion: 'v8',
      override: { kind: 'hold-closed', by: 'bob' },
      touches: [
        { what: 'override', by: 'bob', reason: 'drill' },
        { what: 'retune', by: 'ann', reason: 'ticket 7' },
      ],
    });
  });

  it('counts the calls that are out', async () => {
    const { breaker, fail, told } = setUp(1);
    const held = calls();
    void breaker.run(held.begin);
    void breaker.run(held.begin);
    await fail('E');
    expect(told[0]!.evidence.inFlight).toBe(2);
  });

  it("names the caller's trace of a timeout, though the timer was another's", async () => {
    const { clock, breaker, told } = setUp(1);
    const timeout = new Timeout('orders', { timeoutMs: 100, clock });
    const pipeline = new Pipeline('orders', { breaker, timeout });
    const held = calls();
    const running = tracing.within(traceOf('c'), () => pipeline.run(held.begin));
    tracing.within(traceOf('d'), () => {
      clock.advance(200);
    });
    await expect(running).rejects.toMatchObject({ code: 'timeout' });
    expect(told[0]!.evidence).toMatchObject({
      traceIds: [traceOf('c')],
      failuresByError: [{ error: 'timeout', count: 1 }],
    });
    expect(tracing.events).toEqual([
      {
        traceId: traceOf('c'),
        event: 'starr.timeout',
        attributes: { 'starr.timeout': 'orders', timeoutMs: 100 },
      },
      {
        traceId: traceOf('c'),
        event: 'starr.breaker.transition',
        attributes: { 'starr.breaker': 'orders', from: 'closed', to: 'open', why: 'threshold' },
      },
    ]);
  });
});

describe('the active span', () => {
  it('is told of rejections and overrides', async () => {
    const { breaker, fail } = setUp(1);
    await fail('E');
    await tracing.within(traceOf('e'), () => breaker.run(() => 1)).catch(() => 0);
    tracing.within(traceOf('f'), () =>
      breaker.override({ id: 'o', kind: 'force-open', leaseMs: 10, by: 'ann', reason: 'r' }),
    );
    expect(tracing.events).toEqual([
      {
        traceId: traceOf('e'),
        event: 'starr.breaker.rejected',
        attributes: { 'starr.breaker': 'orders' },
      },
      {
        traceId: traceOf('f'),
        event: 'starr.breaker.override',
        attributes: { 'starr.breaker': 'orders', what: 'begun', kind: 'force-open' },
      },
    ]);
  });
});
