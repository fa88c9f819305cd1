import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhen } from 'cockatiel';
import fc from 'fast-check';
import CircuitBreaker from 'opossum';
import { Breaker, type Permit } from '../breaker.ts';
import type { BreakerOptions, Outcome } from '../breaker-options.ts';
import { calls, type HeldCalls } from '../test/held-calls.ts';

/**
 * The same calls, results and times for a rival and for us, set to the same duty. The first step after which they do
 * not stand alike must be one of the differences that are wanted; and each of these must have been seen.
 */
const recoveryMs = 1000;
const windowMs = 10_000;
const bucketMs = windowMs / 10;
const runs = 3000;

type Shown = 'closed' | 'open' | 'half-open';

interface Rival {
  begin(): Promise<unknown>;
  shown(): Shown;
  end(): void;
}

type Step =
  | { readonly kind: 'begin' }
  | { readonly kind: 'settle'; readonly pick: number; readonly outcome: Outcome }
  | { readonly kind: 'advance'; readonly byMs: number };

/** What is known when they first stand differently. */
interface Parting {
  readonly step: Step;
  readonly before: Shown;
  readonly ours: Shown;
  readonly theirs: Shown;
  /** A caller who neither ran nor was refused there. */
  readonly waits: boolean;
  /** The result that was just booked, or one before it in this epoch, was of an earlier epoch. */
  readonly late: boolean;
  /** A call ended in another bucket than it began in. */
  readonly crossed: boolean;
  /** Calls were begun that are not in our window: still out, refused, or from before the last recovery. */
  readonly uncounted: boolean;
  readonly recovered: boolean;
  readonly atThreshold: boolean;
}

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constant<Step>({ kind: 'begin' }) },
    {
      weight: 4,
      arbitrary: fc
        .tuple(fc.nat(100), fc.constantFrom<Outcome>('success', 'failure', 'failure', 'ignored'))
        .map(([pick, outcome]): Step => ({ kind: 'settle', pick, outcome })),
    },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom(1, 500, recoveryMs, 3 * recoveryMs, windowMs)
        .map((byMs): Step => ({ kind: 'advance', byMs })),
    },
  ),
  { minLength: 5, maxLength: 120, size: 'max' },
);

function errorOf(outcome: Outcome): Error {
  return Object.assign(new Error(outcome), {
    name: outcome === 'ignored' ? 'AbortError' : 'Error',
  });
}

const bucketNow = () => Math.floor(Date.now() / bucketMs);

async function settled(): Promise<void> {
  for (let turn = 0; turn < 12; turn++) await Promise.resolve();
}

/** Stands both side by side, until they part or the steps end. */
async function firstParting(
  sequence: readonly Step[],
  options: BreakerOptions,
  makeRival: (act: HeldCalls) => Rival,
): Promise<Parting | undefined> {
  const act = calls();
  const rival = makeRival(act);
  const breaker = new Breaker('orders', { recoveryMs, jitter: 'none', ...options });
  const out: { permit: Permit; number: number; bucket: number }[] = [];
  let begun = 0;
  let refused = 0;
  let late = false;
  let crossed = false;
  let recovered = false;
  breaker.onTransition(({ to }) => {
    late = false;
    recovered ||= to === 'closed';
  });
  // asking for the state alone moves ours no more than theirs: a probe that is due is shown as half-open by both
  const shown = (): Shown => {
    const { state, timeUntilRetryMs } = breaker.snapshot();
    return state === 'open' && timeUntilRetryMs === 0 ? 'half-open' : state;
  };
  try {
    for (const step of sequence) {
      const before = shown();
      const lateBefore = late;
      let waits = false;
      if (step.kind === 'begin') {
        const earlier = act.begun();
        let answered = false;
        rival.begin().then(
          () => (answered = true),
          () => (answered = true),
        );
        const permit = breaker.acquire();
        await settled();
        const beganThere = act.begun() > earlier;
        if (permit !== undefined) begun++;
        else refused++;
        waits = !beganThere && !answered;
        if (permit !== undefined && beganThere)
          out.push({ permit, number: earlier, bucket: bucketNow() });
        if (beganThere !== (permit !== undefined) && !waits)
          throw new Error('one let it through, though both showed the same state');
      } else if (step.kind === 'settle') {
        const call = out.splice(step.pick % Math.max(1, out.length), 1)[0];
        if (!call) continue;
        const lateResults = breaker.snapshot().totals.late;
        crossed ||= bucketNow() !== call.bucket;
        if (step.outcome === 'success') act.succeed(call.number);
        else act.fail(call.number, errorOf(step.outcome));
        breaker.record(call.permit, step.outcome);
        late ||= breaker.snapshot().totals.late > lateResults;
        await settled();
      } else {
        await jest.advanceTimersByTimeAsync(step.byMs);
      }
      const ours = shown();
      const theirs = rival.shown();
      if (ours === theirs && !waits) continue;
      const { windowCalls, windowFailures } = breaker.snapshot();
      return {
        step,
        before,
        ours,
        theirs,
        waits,
        late: lateBefore || late,
        crossed,
        uncounted: refused > 0 || begun > windowCalls,
        recovered,
        atThreshold: windowFailures * 2 === windowCalls,
      };
    }
    return undefined;
  } finally {
    rival.end();
  }
}

type Differences = Readonly<Record<string, (parting: Parting) => boolean>>;

async function compare(
  options: BreakerOptions,
  makeRival: (act: HeldCalls) => Rival,
  wanted: Differences,
): Promise<void> {
  const seen = new Set<string>();
  const property = fc.asyncProperty(steps, async (sequence) => {
    const parting = await firstParting(sequence, options, makeRival);
    if (!parting) return;
    const why = Object.entries(wanted).find(([, isIt]) => isIt(parting))?.[0];
    if (why === undefined) throw new Error(`not a wanted difference: ${JSON.stringify(parting)}`);
    seen.add(why);
  });
  // one run that is always the same, in which each difference is seen, and one that is always another
  await fc.assert(property, { numRuns: runs, seed: 1 });
  await fc.assert(property, { numRuns: runs / 3 });
  expect([...seen].toSorted()).toEqual(Object.keys(wanted).toSorted());
}

beforeEach(() => {
  // queueMicrotask and promises stay real: both sides are given the same turns
  jest.useFakeTimers({ doNotFake: ['queueMicrotask', 'nextTick'] });
  jest.setSystemTime(0);
});
afterEach(() => {
  jest.useRealTimers();
});

const cockatiel = (act: HeldCalls): Rival => {
  const circuit = circuitBreaker(
    handleWhen((error) => error instanceof Error && error.name !== 'AbortError'),
    { breaker: new ConsecutiveBreaker(3), halfOpenAfter: recoveryMs },
  );
  let openedAtMs = 0;
  circuit.onBreak(() => (openedAtMs = Date.now()));
  return {
    begin: () => circuit.execute(act.begin),
    shown: () => {
      if (circuit.state === CircuitState.Closed) return 'closed';
      const isDue = Date.now() - openedAtMs >= recoveryMs;
      return circuit.state === CircuitState.HalfOpen || isDue ? 'half-open' : 'open';
    },
    end: () => undefined,
  };
};

it('cockatiel, three failures in a row: parts from us in the listed ways only', async () => {
  await compare(
    { opensOn: { kind: 'consecutive', failures: 3 }, recoveryMaxMs: recoveryMs },
    cockatiel,
    {
      'a late result moves it': ({ late }) => late,
      'callers wait for a probe instead of being refused': ({ waits, before }) =>
        waits && before === 'half-open',
      'a probe that its caller ended closes it': ({ step, before, theirs }) =>
        step.kind === 'settle' &&
        step.outcome === 'ignored' &&
        before === 'half-open' &&
        theirs === 'closed',
      'a hung probe keeps its place for ever': ({ step, before, ours, theirs }) =>
        step.kind === 'advance' &&
        before === 'half-open' &&
        ours !== 'half-open' &&
        theirs === 'half-open',
    },
  );
});

const opossum = (act: HeldCalls): Rival => {
  const circuit = new CircuitBreaker(act.begin, {
    timeout: false,
    resetTimeout: recoveryMs,
    errorThresholdPercentage: 50,
    volumeThreshold: 5,
    rollingCountTimeout: windowMs,
    rollingCountBuckets: 10,
    errorFilter: (error: Error) => error.name === 'AbortError',
  });
  return {
    begin: () => circuit.fire(),
    shown: () => (circuit.closed ? 'closed' : circuit.halfOpen ? 'half-open' : 'open'),
    end: () => {
      circuit.shutdown();
    },
  };
};

it('opossum, half of at least five calls in ten seconds: parts from us in the listed ways only', async () => {
  await compare(
    {
      opensOn: { kind: 'time', failureRatio: 0.5, minimumCalls: 5, windowMs, buckets: 10 },
      recoveryMaxMs: recoveryMs,
    },
    opossum,
    {
      'a late result moves it': ({ late }) => late,
      'a probe that its caller ended closes it': ({ step, before, theirs }) =>
        step.kind === 'settle' &&
        step.outcome === 'ignored' &&
        before === 'half-open' &&
        theirs === 'closed',
      'a hung probe keeps its place for ever': ({ step, before, ours, theirs }) =>
        step.kind === 'advance' &&
        before === 'half-open' &&
        ours !== 'half-open' &&
        theirs === 'half-open',
      'only a failure opens it, though the call that makes enough of them may be a success': ({
        step,
        before,
        ours,
      }) =>
        step.kind === 'settle' &&
        step.outcome === 'success' &&
        before === 'closed' &&
        ours === 'open',
      'it counts a call where it began, and its failure where it ended': ({ before, crossed }) =>
        before === 'closed' && crossed,
      'exactly half is not enough for it': ({ before, ours, theirs, atThreshold, recovered }) =>
        before === 'closed' && ours === 'open' && theirs === 'closed' && atThreshold && !recovered,
      'it divides by calls that are still out or were ended by their caller': ({
        before,
        ours,
        theirs,
        uncounted,
        atThreshold,
      }) =>
        before === 'closed' && ours === 'open' && theirs === 'closed' && uncounted && !atThreshold,
      'calls that are still out or were ended by their caller are enough calls for it': ({
        before,
        ours,
        theirs,
        recovered,
        uncounted,
      }) =>
        before === 'closed' && ours === 'closed' && theirs === 'open' && uncounted && !recovered,
      'its window outlives the recovery': ({ before, recovered }) =>
        before === 'closed' && recovered,
    },
  );
});
