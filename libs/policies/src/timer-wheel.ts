import type { Cancel, Clock } from './clock.ts';

const tickMs = 4;
/** 2 s around; what is due later is met once a round. */
const slotCount = 512;

/** Something that becomes due; it can be in one wheel at a time. */
export interface WheelEntry {
  // The wheel's own; -1 and 0 to begin with. Its place among the new ones; -1: not among them.
  place: number;
  /** Among the new ones its delay in ms; in a slot the tick when it is due; 0: in no wheel. */
  when: number;
  /** Must not throw. */
  due(): void;
}

/** For what is not made in great numbers: an object of a derived class costs more than all the wheel does with it. */
export abstract class WheelTimer implements WheelEntry {
  place = -1;
  when = 0;

  abstract due(): void;
}

/**
 * All timeouts of a clock on one timer of the machine. A new one costs neither a timer nor a look at the clock: it
 * only joins a list, and most leave it before the next tick. Those that are still there get a slot, counted from
 * that tick on; so a timeout is never early, and late by 8 ms at most, beyond what the event loop was blocked.
 * While nothing is due nothing ticks. What is due keeps the process alive.
 */
export class TimerWheel {
  readonly #clock: Clock;
  /** Dense; an array, since a list of links would cost one more write into old memory each. */
  readonly #new: (WheelEntry | undefined)[] = [];
  #newCount = 0;
  readonly #slots: (Set<WheelEntry> | undefined)[] = [];
  #inSlots = 0;
  #lastTick = 0;
  #cancel: Cancel | undefined;
  /** The next tick will look at the new ones; a longer sleep would be late for them. */
  #ticks = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(timer: WheelEntry, delayMs: number): void {
    timer.when = delayMs;
    timer.place = this.#newCount++;
    this.#new[timer.place] = timer;
    if (!this.#ticks) this.#wakeIn(tickMs, true);
  }

  /** False: it was due already, or never added. */
  remove(timer: WheelEntry): boolean {
    if (timer.place >= 0) {
      this.#leaveNew(timer);
      return true;
    }
    if (timer.when === 0) return false;
    this.#leaveSlot(timer);
    // a long sleep for nobody would keep the process alive
    if (this.#inSlots === 0 && !this.#ticks) this.#sleep();
    return true;
  }

  /** Moves what is due of some timers, whose delay has changed. */
  shift(belongs: (timer: WheelEntry) => boolean, byMs: number): void {
    const all = this.#slots.flatMap((slot) => [...(slot ?? [])]);
    for (const timer of this.#new) {
      if (timer && belongs(timer)) timer.when += byMs;
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
    while (this.#newCount > 0) {
      const timer = this.#new[this.#newCount - 1];
      if (timer === undefined) return;
      const tick = Math.ceil((nowMs + timer.when) / tickMs);
      this.#leaveNew(timer);
      timer.when = tick;
      (this.#slots[tick % slotCount] ??= new Set()).add(timer);
      this.#inSlots++;
    }
  }

  /** The last one takes its place. */
  #leaveNew(timer: WheelEntry): void {
    const last = --this.#newCount;
    const { place } = timer;
    timer.place = -1;
    timer.when = 0;
    if (place !== last) {
      const moved = this.#new[last];
      if (moved) moved.place = place;
      this.#new[place] = moved;
    }
    this.#new[last] = undefined;
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

  #leaveSlot(timer: WheelEntry): void {
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
