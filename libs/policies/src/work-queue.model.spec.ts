import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createFakeClock } from './test/fake-clock.ts';
import type { DrainRule, Priority, WorkQueueOptions } from './work-queue-options.ts';
import { WorkQueue } from './work-queue.ts';

/** No step ends at such a moment. */
const agedAfterMs = 2900;

const levels = ['high', 'normal', 'low'] as const satisfies readonly Priority[];

interface ModelWork {
  readonly id: number;
  readonly level: number;
  readonly runMs: number;
  readonly addedAtMs: number;
  endsMs: number;
}

/** The reference: what the queue must be, written as plainly as possible. */
class Model {
  nowMs = 0;
  maxWorkers = 2;
  maxSize = 3;
  readonly whenFull: WorkQueueOptions['whenFull'];
  waiting: ModelWork[] = [];
  running: ModelWork[] = [];
  sinceAged = 0;
  aged = 0;
  readonly started: number[] = [];
  readonly fates = new Map<number, string>();

  constructor(whenFull: WorkQueueOptions['whenFull']) {
    this.whenFull = whenFull;
  }
  submit(work: ModelWork, waitMs: number) {
    work.endsMs = this.nowMs + waitMs;
    if (this.waiting.length >= this.maxSize && this.running.length >= this.maxWorkers) {
      if (!this.makeRoomFor(work)) {
        this.fates.set(work.id, 'queue-full');
        return;
      }
    }
    this.waiting.push(work);
    this.waiting.sort((a, b) => a.level - b.level || a.id - b.id);
    if (this.waiting.length === 1 && this.running.length < this.maxWorkers) this.run(work);
    else this.fill();
  }
  makeRoomFor(work: ModelWork): boolean {
    const lowest = this.waiting.at(-1);
    if (!lowest || lowest.level < work.level) return false;
    const victim =
      this.whenFull === 'reject-oldest'
        ? this.waiting.find(({ level }) => level === lowest.level)!
        : lowest;
    if (this.whenFull !== 'reject-oldest' && lowest.level === work.level) return false;
    this.drop(victim, 'evicted');
    return true;
  }
  drop(work: ModelWork, fate: string) {
    this.waiting = this.waiting.filter((other) => other !== work);
    this.fates.set(work.id, fate);
  }
  fill() {
    while (this.running.length < this.maxWorkers && this.waiting.length > 0) {
      const first = this.waiting[0]!;
      const [aged] = this.waiting
        .filter(({ addedAtMs }) => addedAtMs <= this.nowMs - agedAfterMs)
        .filter(({ level, addedAtMs }) => level > first.level && addedAtMs < first.addedAtMs)
        .sort((a, b) => a.addedAtMs - b.addedAtMs || a.level - b.level);
      if (aged && this.sinceAged >= 3) {
        this.aged++;
        this.sinceAged = 0;
        this.run(aged);
      } else {
        this.sinceAged++;
        this.run(first);
      }
    }
  }
  run(work: ModelWork) {
    this.waiting = this.waiting.filter((other) => other !== work);
    work.endsMs = this.nowMs + work.runMs;
    this.running.push(work);
    this.started.push(work.id);
  }
  end(work: ModelWork, fate: string) {
    this.running = this.running.filter((other) => other !== work);
    this.fates.set(work.id, fate);
    this.fill();
  }
  pass(ms: number) {
    const untilMs = this.nowMs + ms;
    for (;;) {
      const next = Math.min(...[...this.waiting, ...this.running].map(({ endsMs }) => endsMs));
      if (next > untilMs) break;
      this.nowMs = next;
      for (const work of this.waiting.filter(({ endsMs }) => endsMs <= next))
        this.drop(work, 'wait-timeout');
      for (const work of this.running.filter(({ endsMs }) => endsMs <= next))
        this.end(work, 'timeout');
    }
    this.nowMs = untilMs;
  }
  places(maxSize: number, rule: DrainRule) {
    this.maxSize = maxSize;
    while (rule !== 'keep' && this.waiting.length > maxSize) {
      const lowest = this.waiting.filter(({ level }) => level === this.waiting.at(-1)!.level);
      const soonest = lowest.reduce((a, b) => (b.endsMs < a.endsMs ? b : a));
      const victims = {
        'reject-newest': lowest.at(-1)!,
        'reject-oldest': lowest[0]!,
        'expired-first': soonest,
      };
      this.drop(victims[rule], 'evicted');
    }
  }
  count(...fates: string[]) {
    return [...this.fates.values()].filter((fate) => fates.includes(fate)).length;
  }
}

const step = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      what: fc.constant('submit' as const),
      level: fc.constantFrom(0, 1, 1, 2),
      waitMs: fc.constantFrom(1500, 3500, Infinity),
      runMs: fc.constantFrom(2250, Infinity),
    }),
  },
  fc.record({
    what: fc.constant('end' as const),
    which: fc.nat(),
    fate: fc.constantFrom('done', 'failed'),
  }),
  fc.record({ what: fc.constant('leave' as const), which: fc.nat() }),
  fc.record({ what: fc.constant('pass' as const), seconds: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ what: fc.constant('workers' as const), maxWorkers: fc.integer({ min: 1, max: 3 }) }),
  fc.record({
    what: fc.constant('places' as const),
    maxSize: fc.integer({ min: 0, max: 4 }),
    drain: fc.constantFrom<DrainRule>(
      'keep',
      'keep',
      'reject-newest',
      'reject-oldest',
      'expired-first',
    ),
  }),
);

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** The queue, and what became of each work. */
class Real {
  readonly clock = createFakeClock();
  readonly queue: WorkQueue;
  readonly started: number[] = [];
  readonly fates = new Map<number, string>();
  readonly works = new Map<number, { end(fate: string): void; leave(): void }>();

  constructor(whenFull: NonNullable<WorkQueueOptions['whenFull']>) {
    const limits = { maxWorkers: 2, maxSize: 3, agedAfterMs };
    this.queue = new WorkQueue('jobs', { ...limits, whenFull, clock: this.clock });
  }
  submit(work: ModelWork, waitMs: number) {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const caller = new AbortController();
    this.works.set(work.id, {
      end: (fate) => {
        if (fate === 'done') resolve(fate);
        else reject(new Error(fate));
      },
      leave: () => {
        caller.abort(new Error('left'));
      },
    });
    const settled = (fate: string) => {
      // more than one answer would be as wrong as none
      this.fates.set(work.id, this.fates.has(work.id) ? 'answered twice' : fate);
    };
    this.queue
      .submit(
        () => {
          this.started.push(work.id);
          return promise;
        },
        {
          priority: levels[work.level]!,
          waitTimeoutMs: waitMs,
          runTimeoutMs: work.runMs,
          signal: caller.signal,
        },
      )
      .then(settled, (error: unknown) => {
        const { code, message } = error as { code?: string; message: string };
        settled(code ?? message);
      });
  }
}

function apply(did: Step, model: Model, real: Real, id: number): void {
  switch (did.what) {
    case 'submit': {
      const work = { id, level: did.level, runMs: did.runMs, addedAtMs: model.nowMs, endsMs: 0 };
      model.submit(work, did.waitMs);
      real.submit(work, did.waitMs);
      return;
    }
    case 'end': {
      const work = model.running[did.which % Math.max(1, model.running.length)];
      if (!work) return;
      model.end(work, did.fate);
      real.works.get(work.id)!.end(did.fate);
      return;
    }
    case 'leave': {
      const work = model.waiting[did.which % Math.max(1, model.waiting.length)];
      if (!work) return;
      model.drop(work, 'left');
      real.works.get(work.id)!.leave();
      return;
    }
    case 'pass':
      model.pass(did.seconds * 1000);
      real.clock.advance(did.seconds * 1000);
      return;
    case 'workers':
      model.maxWorkers = did.maxWorkers;
      model.fill();
      real.queue.retune({ maxWorkers: did.maxWorkers });
      return;
    case 'places':
      model.places(did.maxSize, did.drain);
      real.queue.retune({ maxSize: did.maxSize, drain: did.drain });
  }
}

function compare(model: Model, real: Real): void {
  expect(real.started).toEqual(model.started);
  expect(new Map([...real.fates].sort(([a], [b]) => a - b))).toEqual(
    new Map([...model.fates].sort(([a], [b]) => a - b)),
  );
  const timedOutRunning = model.count('timeout');
  expect(real.queue.snapshot()).toMatchObject({
    size: model.waiting.length,
    activeWorkers: model.running.length,
    processed: model.count('done'),
    failed: model.count('failed'),
    timedOut: model.count('timeout', 'wait-timeout'),
    expired: model.count('wait-timeout'),
    aged: model.aged,
    runTimedOut: timedOutRunning,
    abandoned: timedOutRunning,
    rejected: model.count('queue-full', 'evicted'),
    drained: model.count('evicted'),
    withdrawn: model.count('left'),
    overLimit: {
      workers: Math.max(0, model.running.length - model.maxWorkers),
      places: Math.max(0, model.waiting.length - model.maxSize),
    },
  });
}

it.each(['reject-newest', 'reject-oldest'] as const)(
  'a queue with %s does what the reference does, whatever happens in whatever order, and answers each caller once',
  async (whenFull) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const model = new Model(whenFull);
        const real = new Real(whenFull);
        for (const [id, did] of steps.entries()) {
          apply(did, model, real, id);
          await new Promise((resolve) => setImmediate(resolve));
          compare(model, real);
        }
      }),
      { numRuns: process.env['CI'] === 'true' ? 3000 : 300 },
    );
  },
);
