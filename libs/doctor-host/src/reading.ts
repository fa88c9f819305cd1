import {
  blindFromError,
  blindSpot,
  canonicalJson,
  isBlindSpot,
  type BlindSpot,
  type Clock,
  type Footprint,
  type Greeting,
  type Json,
  type Look,
  type Pair,
  type Read,
} from '@starr/kernel';
import { inSpan, SPAN, ATTRIBUTE } from '@starr/telemetry';
import type { HostedTarget } from './hosted-target.ts';
import { createMeter } from './meter.ts';
import type { Samples } from './samples.ts';
import type { SharedWork } from './shared-work.ts';
import { within } from './within.ts';

/** The server's own timeout should speak first; ours is for a server that does not. */
const GRACE_MS = 200;
const GREET_TIMEOUT_MS = 2000;

export interface ReadingContext {
  readonly target: HostedTarget;
  readonly clock: Clock;
  readonly samples: Samples;
  readonly shared: SharedWork;
  readonly windowMs: number;
  /** Monotonic; nothing is waited for beyond it. */
  readonly deadlineMs: number;
  /** Monotonic; work that began earlier does not count. */
  readonly notBeforeMs: number;
  readonly signal: AbortSignal;
  /** How long apart two samples are when there is no history; default 300. */
  readonly pairGapMs: number;
}

/** What a read saw, and what it cost if it was this one that asked. */
export interface Saw {
  readonly value: unknown;
  readonly observedFrom: Date;
  readonly observedTo: Date;
  readonly footprint: Footprint;
}

const FREE: Footprint = {};

/** One target in one run: every read is performed once, whoever asks and however often. */
export class Reading {
  readonly #context: ReadingContext;
  readonly #seen = new Map<string, Promise<Saw>>();
  #look: Promise<Look | BlindSpot> | undefined;
  #greetedAt: { targetMs: number; oursMs: number } | undefined;
  #greetingCost: Footprint = FREE;

  constructor(context: ReadingContext) {
    this.#context = context;
  }

  /** Version and clock of the target, or why it cannot be looked at at all. */
  look(): Promise<Look | BlindSpot> {
    this.#look ??= this.#greet();
    return this.#look;
  }

  /** The target's clock minus ours. */
  get clockSkewMs(): number | undefined {
    return this.#greetedAt && this.#greetedAt.targetMs - this.#greetedAt.oursMs;
  }

  get greetingCost(): Footprint {
    return this.#greetingCost;
  }

  /** The second caller gets the same answer, for free. */
  async see(asked: Read<unknown>): Promise<Saw> {
    const read = asked.wrap?.as === 'optional' ? asked.wrap.inner : asked;
    const earlier = this.#seen.get(read.id);
    if (earlier) return { ...(await earlier), footprint: FREE };
    const now =
      read.wrap?.as === 'windowed' ? this.#seePair(read.wrap.inner) : this.#perform(read, '');
    this.#seen.set(read.id, now);
    return now;
  }

  async #greet(): Promise<Look | BlindSpot> {
    const { target, clock, windowMs, signal, notBeforeMs, shared } = this.#context;
    const timeoutMs = Math.max(1, Math.min(GREET_TIMEOUT_MS, this.#remainingMs()));
    const meter = createMeter();
    const greet = async (workSignal: AbortSignal): Promise<Greeting | BlindSpot> => {
      try {
        return await target.adapter.greet({
          timeoutMs,
          maxRows: 1,
          signal: workSignal,
          spend: meter.spend,
        });
      } catch (error) {
        return blindFromError(error);
      }
    };
    const work = shared.join('greet', notBeforeMs, signal, greet).then(({ value }) => value);
    const greeting = await within(clock, timeoutMs + GRACE_MS, work, () =>
      late(target.name, 'first contact', timeoutMs),
    );
    this.#greetingCost = meter.total();
    if (isBlindSpot(greeting)) return greeting;
    this.#greetedAt = { targetMs: greeting.now.getTime(), oursMs: clock.now().getTime() };
    return {
      now: greeting.now,
      windowMs,
      version: greeting.version,
      target: target.name,
      options: target.options ?? {},
    };
  }

  async #perform(read: Read<unknown>, suffix: string): Promise<Saw> {
    const look = await this.look();
    const observedFrom = this.#context.clock.now();
    const nothing = (value: BlindSpot): Saw => ({
      value,
      observedFrom,
      observedTo: observedFrom,
      footprint: FREE,
    });
    if (isBlindSpot(look)) return nothing(look);
    const request = read.request(look);
    if (isBlindSpot(request)) return nothing(request);
    const meter = createMeter();
    const raw = await this.#fetch(read, `${read.id}${suffix}`, request, meter.spend);
    const value = isBlindSpot(raw) ? raw : parse(read, raw, look);
    return { value, observedFrom, observedTo: this.#context.clock.now(), footprint: meter.total() };
  }

  async #fetch(
    read: Read<unknown>,
    id: string,
    request: unknown,
    spend: (what: string, amount: number) => void,
  ): Promise<unknown> {
    const { target, clock, signal, notBeforeMs, shared } = this.#context;
    const timeoutMs = Math.min(read.timeoutMs, this.#remainingMs());
    if (timeoutMs <= 0) return blindSpot('timeout', `no time was left for ${read.id}`);
    const perform = async (workSignal: AbortSignal): Promise<unknown> => {
      try {
        return await inSpan(
          SPAN.read(read.id),
          { attributes: { [ATTRIBUTE.readId]: read.id, [ATTRIBUTE.target]: target.name } },
          () =>
            target.adapter.perform(request, {
              timeoutMs,
              maxRows: read.maxRows,
              signal: workSignal,
              spend,
            }),
        );
      } catch (error) {
        return blindFromError(error);
      }
    };
    const key = `${id} ${canonicalJson(request as Json)}`;
    const work = shared.join(key, notBeforeMs, signal, perform).then(({ value }) => value);
    // A look that waits for its turn is not one that the patient is slow to answer.
    const boundMs = target.adapter.queues === true ? this.#remainingMs() : timeoutMs;
    return within<unknown>(clock, boundMs + GRACE_MS, work, () =>
      late(target.name, read.id, boundMs),
    );
  }

  async #seePair(inner: Read<unknown>): Promise<Saw> {
    const { clock, samples, windowMs, signal, pairGapMs } = this.#context;
    const first = await this.see(inner);
    if (isBlindSpot(first.value)) return first;
    const nowMs = clock.monotonicMs();
    const before = samples.before(inner.id, nowMs, windowMs);
    samples.add(inner.id, { atMs: nowMs, takenAt: first.observedTo, value: first.value });
    if (before)
      return {
        ...first,
        value: {
          before: before.value,
          after: first.value,
          elapsedMs: nowMs - before.atMs,
        } satisfies Pair<unknown>,
      };
    await clock.sleep(pairGapMs, signal);
    const second = await this.#perform(inner, '@second');
    if (isBlindSpot(second.value)) return second;
    const pair: Pair<unknown> = {
      before: first.value,
      after: second.value,
      elapsedMs: clock.monotonicMs() - nowMs,
    };
    return {
      value: pair,
      observedFrom: first.observedFrom,
      observedTo: second.observedTo,
      footprint: add(first.footprint, second.footprint),
    };
  }

  /** Whole: AbortSignal.timeout and servers take no fractions. */
  #remainingMs(): number {
    return Math.ceil(this.#context.deadlineMs - this.#context.clock.monotonicMs());
  }
}

function parse(read: Read<unknown>, raw: unknown, look: Look): unknown {
  try {
    return read.parse(raw, look);
  } catch (error) {
    return blindFromError(error);
  }
}

function late(target: string, what: string, timeoutMs: number): BlindSpot {
  return blindSpot(
    'timeout',
    `${target} did not answer ${what} within ${Math.round(timeoutMs)} ms`,
  );
}

export function add(a: Footprint, b: Footprint): Footprint {
  const sum: Record<string, number> = { ...a };
  for (const [what, amount] of Object.entries(b)) sum[what] = (sum[what] ?? 0) + amount;
  return sum;
}
