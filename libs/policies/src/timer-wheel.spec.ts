import { describe, expect, it } from '@jest/globals';
import { monotonicClock } from './clock.ts';
import { createFakeClock } from './test/fake-clock.ts';
import { TimerWheel, timerWheelOf, WheelTimer } from './timer-wheel.ts';

class Due extends WheelTimer {
  readonly #says: () => void;
  constructor(says: () => void) {
    super();
    this.#says = says;
  }
  due() {
    this.#says();
  }
}

function setUp() {
  const clock = createFakeClock();
  let timers = 0;
  const counted = {
    ...clock,
    schedule: (run: () => void, delayMs: number) => {
      timers++;
      return clock.schedule(run, delayMs);
    },
  };
  const wheel = new TimerWheel(counted);
  const fired: string[] = [];
  const add = (name: string, delayMs: number) => {
    const timer = new Due(() => fired.push(name));
    wheel.add(timer, delayMs);
    return timer;
  };
  return { clock, wheel, fired, add, timers: () => timers };
}

describe('the timer wheel', () => {
  it.each([1, 3, 4, 5, 100, 2047, 2048, 2049, 60_000])(
    'is never early, and at most two ticks late: %p ms',
    (delayMs) => {
      for (const offsetMs of [0, 0.5, 1, 2, 3.999]) {
        const { clock, add, fired } = setUp();
        clock.advance(offsetMs);
        add('a', delayMs);
        clock.advance(delayMs - 0.01);
        expect(fired).toEqual([]);
        clock.advance(8.01);
        expect(fired).toEqual(['a']);
      }
    },
  );

  it('lets what was removed rest, before and after it got a slot', () => {
    const { clock, wheel, add, fired } = setUp();
    const early = add('early', 100);
    expect(wheel.remove(early)).toBe(true);
    const slotted = add('slotted', 100);
    clock.advance(50);
    expect(wheel.remove(slotted)).toBe(true);
    expect(wheel.remove(slotted)).toBe(false);
    clock.advance(10_000);
    expect(fired).toEqual([]);
  });

  it('keeps the others when one of the new ones leaves, whichever it is', () => {
    for (const leaver of [0, 1, 2]) {
      const { clock, wheel, add, fired } = setUp();
      const all = ['a', 'b', 'c'].map((name) => add(name, 20));
      wheel.remove(all[leaver]!);
      clock.advance(100);
      expect(fired.sort()).toEqual(['a', 'b', 'c'].filter((_, at) => at !== leaver));
    }
  });

  it('fires in the order of time across several rounds', () => {
    const { clock, add, fired } = setUp();
    for (const delayMs of [9000, 10, 5000, 2100, 60]) add(String(delayMs), delayMs);
    clock.advance(20_000);
    expect(fired).toEqual(['10', '60', '2100', '5000', '9000']);
  });

  it('fires what became due while the loop was blocked, however long', () => {
    const { clock, wheel, fired, add } = setUp();
    add('short', 10);
    clock.advance(5);
    add('long', 30_000);
    clock.advance(5);
    clock.block(1_000_000);
    clock.advance(4);
    expect(fired.sort()).toEqual(['long', 'short']);
    expect(wheel.remove(add('later', 5))).toBe(true);
  });

  it('needs one timer of the machine for thousands, and none when nothing is due', () => {
    const { clock, wheel, timers } = setUp();
    const many = Array.from({ length: 5000 }, () => new Due(() => undefined));
    for (const timer of many) wheel.add(timer, 10_000);
    expect(timers()).toBe(1);
    for (const timer of many) wheel.remove(timer);
    clock.advance(100);
    const before = timers();
    clock.advance(60_000);
    expect(timers()).toBe(before);
  });

  it('takes new ones from within one that is due', () => {
    const { clock, wheel, fired } = setUp();
    const second = new Due(() => fired.push('second'));
    wheel.add(
      new Due(() => {
        fired.push('first');
        wheel.add(second, 20);
      }),
      20,
    );
    clock.advance(100);
    expect(fired).toEqual(['first', 'second']);
  });

  it('moves what is due of those that belong together', () => {
    const { clock, wheel, add, fired } = setUp();
    const slotted = add('slotted', 1000);
    clock.advance(500);
    const fresh = add('fresh', 1000);
    add('other', 1000);
    wheel.shift((timer) => timer === slotted || timer === fresh, -400);
    clock.advance(100 - 0.01);
    expect(fired).toEqual([]);
    clock.advance(12);
    expect(fired).toEqual(['slotted']);
    clock.advance(500);
    expect(fired).toEqual(['slotted', 'fresh']);
    clock.advance(500);
    expect(fired).toEqual(['slotted', 'fresh', 'other']);
  });

  it('is one for each clock', () => {
    const clock = createFakeClock();
    expect(timerWheelOf(clock)).toBe(timerWheelOf(clock));
    expect(timerWheelOf(clock)).not.toBe(timerWheelOf(monotonicClock));
  });

  it('works on the clock of the machine', async () => {
    const wheel = timerWheelOf(monotonicClock);
    const startedMs = monotonicClock.nowMs();
    await new Promise<void>((resolve) => {
      wheel.add(new Due(resolve), 30);
    });
    expect(monotonicClock.nowMs() - startedMs).toBeGreaterThanOrEqual(30);
  });
});
