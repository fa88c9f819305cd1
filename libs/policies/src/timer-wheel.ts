import type { Cancel, Clock } from './clock.ts';

const tickMs = 4;
/** 2 s around; what is due later is met once a round. */
const slotCount = 512;

/**
 * Something that becomes due; it can be in one wheel at a time. What is made in great numbers implements it rather
 * than extends it, since the objects of a derived class cost more than all that the wheel does with them.
 */
export abstract class WheelTimer {
  // The wheel's own. Links of the list of the new ones; absent: not among them.
  before: WheelTimer | undefined = undefined;
  after: WheelTimer | undefined = undefined;
  /** Among the new ones its delay in ms; in a slot the tick when it is due; 0: in no wheel. */
  when = 0;

  /** Must not throw. */
  abstract due(): void;
}

class Head extends WheelTimer {
  due(): void {
    // only the two ends of the list
  }
}

/**
 * All timeouts of a clock on one timer of the machine. A new one costs neither a timer nor a look at the clock: it
 * only joins a list, and most leave it before the next tick. Those that are still there get a slot, counted from
 * that tick on; so a timeout is never early, and late by 8 ms at most, beyond what the event loop was blocked.
 * While nothing is due nothing ticks. What is due keeps the process alive.
 */
export class TimerWheel {
  readonly #clock: Clock;
  readonly #new: WheelTimer = new Head();
  readonly #slots: (Set<WheelTimer> | undefined)[] = [];
  #inSlots = 0;
  #lastTick = 0;
  #cancel: Cancel | undefined;
  /** The next tick will look at the new ones; a longer sleep would be late for them. */
  #ticks = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#new.before = this.#new;
    this.#new.after = this.#new;
  }

  add(timer: WheelTimer, delayMs: number): void {
    const head = this.#new;
    const last = head.before ?? head;
    timer.when = delayMs;
    timer.before = last;
    timer.after = head;
    last.after = timer;
    head.before = timer;
    if (!this.#ticks) this.#wakeIn(tickMs, true);
  }

  /** False: it was due already, or never added. */
  remove(timer: WheelTimer): boolean {
    const { before, after } = timer;
    if (before !== undefined && after !== undefined) {
      before.after = after;
      after.before = before;
      timer.before = undefined;
      timer.after = undefined;
      timer.when = 0;
      return true;
    }
    if (timer.when === 0) return false;
    this.#leaveSlot(timer);
    // a long sleep for nobody would keep the process alive
    if (this.#inSlots === 0 && !this.#ticks) this.#sleep();
    return true;
  }

  /** Moves what is due of some timers, whose delay has changed. */
  shift(belongs: (timer: WheelTimer) => boolean, byMs: number): void {
    const all = this.#slots.flatMap((slot) => [...(slot ?? [])]);
    for (let timer = this.#new.after; timer && timer !== this.#new; timer = timer.after) {
      if (belongs(timer)) timer.when += byMs;
    }
    for (const timer of all) {
      if (!belongs(timer)) continue;
      const dueMs = timer.when * tickMs + byMs;
      this.remove(timer);
      this.add(timer, Math.max(0, dueMs - this.#clock.nowMs()));
    }
  }

  #wake(): void {
    const nowMs = this.#clock.nowMs();
    const nowTick = Math.floor(nowMs / tickMs);
    this.#ticks = false;
    this.#sleep();
    this.#slotNew(nowMs);
    this.#fire(nowTick);
    this.#lastTick = nowTick;
    // what was due may have added new ones, and so woken the wheel already
    const awake = this.#cancel !== undefined;
    if (!awake && this.#inSlots > 0)
      this.#wakeIn(this.#nextFilled(nowTick) * tickMs - nowMs, false);
  }

  #slotNew(nowMs: number): void {
    const head = this.#new;
    for (let timer = head.after; timer && timer !== head; timer = head.after) {
      const tick = Math.ceil((nowMs + timer.when) / tickMs);
      this.remove(timer);
      timer.when = tick;
      (this.#slots[tick % slotCount] ??= new Set()).add(timer);
      this.#inSlots++;
    }
  }

  #fire(nowTick: number): void {
    if (this.#inSlots === 0) return;
    const first = Math.max(this.#lastTick, nowTick - slotCount + 1);
    for (let tick = first; tick <= nowTick; tick++) {
      const slot = this.#slots[tick % slotCount];
      if (slot === undefined) continue;
      for (const timer of slot) {
        if (timer.when > nowTick) continue;
        this.#leaveSlot(timer);
        timer.due();
      }
    }
  }

  #leaveSlot(timer: WheelTimer): void {
    this.#slots[timer.when % slotCount]?.delete(timer);
    timer.when = 0;
    this.#inSlots--;
  }

  #nextFilled(nowTick: number): number {
    for (let tick = nowTick + 1; tick < nowTick + slotCount; tick++) {
      if ((this.#slots[tick % slotCount]?.size ?? 0) > 0) return tick;
    }
    return nowTick + slotCount;
  }

  #wakeIn(delayMs: number, ticks: boolean): void {
    this.#cancel?.();
    this.#ticks = ticks;
    this.#cancel = this.#clock.schedule(
      () => {
        this.#wake();
      },
      Math.ceil(delayMs),
      true,
    );
  }

  #sleep(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}

const wheels = new WeakMap<Clock, TimerWheel>();

/** The one wheel of that clock. */
export function timerWheelOf(clock: Clock): TimerWheel {
  let wheel = wheels.get(clock);
  if (wheel === undefined) {
    wheel = new TimerWheel(clock);
    wheels.set(clock, wheel);
  }
  return wheel;
}
