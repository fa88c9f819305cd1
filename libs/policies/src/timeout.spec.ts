import { afterEach, describe, expect, it } from '@jest/globals';
import type { CallContext } from './call-context.ts';
import { CallTimeoutError } from './policy-error.ts';
import { calls } from './test/held-calls.ts';
import { createFakeClock } from './test/fake-clock.ts';
import { Timeout } from './timeout.ts';

function setUp(timeoutMs = 1000) {
  const clock = createFakeClock();
  const timeout = new Timeout('payments', { timeoutMs, clock });
  return { clock, timeout, held: calls() };
}

const settled = async (promise: Promise<unknown>) => {
  let state = 'pending';
  promise.then(
    () => (state = 'resolved'),
    () => (state = 'rejected'),
  );
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  return state;
};

let restore: (() => void) | undefined;
afterEach(() => {
  restore?.();
});

describe('a timeout', () => {
  it('waits out its time and not longer', async () => {
    const { clock, timeout, held } = setUp();
    const call = timeout.run(held.begin);
    clock.advance(999);
    expect(await settled(call)).toBe('pending');
    clock.advance(9);
    await expect(call).rejects.toMatchObject({
      name: 'TimeoutError',
      code: 'timeout',
      policy: 'payments',
      timeoutMs: 1000,
    });
    expect(timeout.snapshot()).toMatchObject({ calls: 1, timedOut: 1, abandoned: 1 });
  });

  it('drops the late result and forgets the call then', async () => {
    const { clock, timeout, held } = setUp();
    const call = timeout.run(held.begin);
    clock.advance(2000);
    await expect(call).rejects.toThrow(CallTimeoutError);
    held.succeed(0);
    expect(await settled(call)).toBe('rejected');
    expect(timeout.snapshot()).toMatchObject({ timedOut: 1, abandoned: 0 });
  });

  it('passes results through unchanged and leaves no timer behind', async () => {
    const { clock, timeout } = setUp();
    const fault = new Error('fault');
    await expect(timeout.run(() => 7)).resolves.toBe(7);
    await expect(timeout.run(() => Promise.resolve(8))).resolves.toBe(8);
    await expect(timeout.run(() => Promise.reject(fault))).rejects.toBe(fault);
    await expect(
      timeout.run(() => {
        throw fault;
      }),
    ).rejects.toBe(fault);
    const thenable: PromiseLike<number> = {
      then: (resolve) => Promise.resolve(9).then(resolve),
    };
    await expect(timeout.run(() => thenable)).resolves.toBe(9);
    clock.advance(10_000);
    expect(timeout.snapshot()).toMatchObject({ timedOut: 0, abandoned: 0 });
  });

  it('makes an AbortSignal only when it is asked for one, and aborts it with its own error', async () => {
    const Original = AbortController;
    let made = 0;
    globalThis.AbortController = class extends Original {
      constructor() {
        super();
        made++;
      }
    };
    restore = () => {
      globalThis.AbortController = Original;
    };
    const { clock, timeout, held } = setUp();
    await timeout.run(() => 1);
    expect(made).toBe(0);
    let signal: AbortSignal | undefined;
    const call = timeout.run((context) => {
      ({ signal } = context);
      return held.begin();
    });
    expect(made).toBe(1);
    expect(signal?.aborted).toBe(false);
    clock.advance(2000);
    await expect(call).rejects.toThrow(CallTimeoutError);
    expect(signal?.reason).toBeInstanceOf(CallTimeoutError);
  });

  it('gives an aborted signal to an act that asks only after its time', async () => {
    const { clock, timeout, held } = setUp();
    let context: CallContext | undefined;
    const call = timeout.run((given) => {
      context = given;
      return held.begin();
    });
    clock.advance(2000);
    await expect(call).rejects.toThrow('no result within 1000 ms');
    expect(context?.signal.aborted).toBe(true);
  });

  it("ends at once when the caller aborts, with the caller's reason, and counts no timeout", async () => {
    const { clock, timeout, held } = setUp();
    const caller = new AbortController();
    const call = timeout.run(held.begin, { signal: caller.signal });
    caller.abort(new Error('gone'));
    await expect(call).rejects.toThrow('gone');
    clock.advance(5000);
    const late = timeout.run(held.begin, { signal: caller.signal });
    await expect(late).rejects.toThrow('gone');
    expect(held.begun()).toBe(1);
    expect(timeout.snapshot()).toMatchObject({ calls: 1, timedOut: 0, abandoned: 0 });
  });

  it('is retuned for the calls that are running, too: longer and shorter', async () => {
    for (const [timeoutMs, endsMs] of [
      [3000, 3000],
      [500, 500],
    ] as const) {
      const { clock, timeout, held } = setUp();
      const call = timeout.run(held.begin);
      clock.advance(100);
      expect(timeout.retune({ timeoutMs })).toMatchObject({
        kind: 'applied',
        before: { timeoutMs: 1000 },
        after: { timeoutMs },
      });
      clock.advance(endsMs - 101);
      expect(await settled(call)).toBe('pending');
      clock.advance(17);
      expect(await settled(call)).toBe('rejected');
    }
  });

  it('refuses a wrong option: when made by an error, when retuned by its result', () => {
    const { timeout } = setUp();
    expect(() => new Timeout('t', { timeoutMs: 0 })).toThrow('timeoutMs is 0');
    expect(timeout.retune({ timeoutMs: -1 })).toMatchObject({ kind: 'refused' });
    expect(timeout.snapshot().timeoutMs).toBe(1000);
  });
});
