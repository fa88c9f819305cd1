import {
  RememberedAnswers,
  breakerState,
  createPolicies,
  fixedAnswer,
  type OpensOn,
  type Policies,
} from '@starr/policies';

/** Everything that the policies do, again and again. */
export interface Workload {
  /** Some calls, among them failures, refusals, late ones and changes by hand; resolves when these are made. */
  turn(): Promise<number>;
  /** What the policies counted, so that a soak that did nothing is seen. */
  totals(): Readonly<Record<string, number>>;
}

const BREAKERS = 30;
const KEYS = 5000;
const FLOOD = 60;
/** Calls a turn through one breaker that nothing happens to: what a leak of some bytes a call shows in soonest. */
const QUIET_CALLS = 3000;

const rules: readonly OpensOn[] = [
  { kind: 'consecutive', failures: 5 },
  { kind: 'count', failureRatio: 0.5, minimumCalls: 20, size: 50 },
  {
    kind: 'time',
    failureRatio: 0.5,
    minimumCalls: 20,
    windowMs: 1000,
    buckets: 10,
    slowCalls: { afterMs: 50, ratio: 0.5 },
  },
];

const up = async (): Promise<string> => Promise.resolve('up');
const down = async (): Promise<string> => Promise.reject(new Error('down'));
const late = () => new Promise<string>((resolve) => setTimeout(resolve, 15, 'late'));
const soon = () => new Promise<string>((resolve) => setTimeout(resolve, 2, 'soon'));

/** `random` decides which calls fail; 0 ≤ n < 1. */
export function createWorkload(random: () => number = Math.random): Workload {
  const stage = buildStage();
  let turns = 0;
  const act = () => {
    const isOutage = turns % 20 < 5;
    const drawn = random();
    if (drawn < (isOutage ? 0.9 : 0.05)) return down;
    return drawn > 0.995 ? soon : up;
  };
  const key = () => `key-${Math.floor(random() * KEYS)}`;
  return {
    async turn() {
      turns++;
      const calls = (await callBreakers(stage, act, key)) + (await floodQueue(stage, act, key));
      const piped = await callPipeline(stage, act, key, turns % 20 === 0);
      for (let call = 0; call < QUIET_CALLS; call++) await stage.quiet.run(up);
      touch(stage, random);
      return calls + piped + QUIET_CALLS;
    },
    totals: () => totalsOf(stage),
  };
}

type Stage = ReturnType<typeof buildStage>;
type Draw = () => () => Promise<string>;

function buildStage() {
  const policies = createPolicies({ service: 'soak' });
  const breakers = Array.from({ length: BREAKERS }, (_, number) =>
    policies.breaker(`dependency-${number}`, {
      opensOn: rules[number % rules.length] ?? { kind: 'consecutive', failures: 5 },
      recoveryMs: 5,
      recoveryMaxMs: 20,
    }),
  );
  const quiet = policies.breaker('quiet');
  const queue = policies.queue('works', { maxWorkers: 4, maxSize: 20, waitTimeoutMs: 50 });
  const limit = policies.rateLimit('requests', { permits: 1000, maxKeys: KEYS / 2 });
  policies.backpressure('pressure', { watches: queue, slows: limit });
  const remembered = new RememberedAnswers<string>('remembered', {
    freshForMs: 10,
    staleForMs: 1000,
    maxEntries: KEYS / 2,
  });
  const fallback = policies.fallback<string>('answers', {
    strategies: [remembered, fixedAnswer('fixed', 'nothing')],
  });
  const seen = { transitions: 0 };
  policies.onTransition(() => {
    seen.transitions++;
  });
  const pipeline = buildPipeline(policies);
  policies.interlocks('interlocks', {
    rules: [
      {
        name: 'spare the requests while the pipeline is open',
        when: breakerState(pipeline.breaker),
        is: ['open', 'half-open'],
        then: { kind: 'slow-down', policy: limit, share: 0.6 },
      },
    ],
  });
  return { policies, breakers, quiet, queue, limit, fallback, seen, ...pipeline };
}

function buildPipeline(policies: Policies) {
  const retry = policies.retry('pipeline', { maxAttempts: 3, delayMs: 1 });
  const breaker = policies.breaker('pipeline', { recoveryMs: 5, recoveryMaxMs: 20 });
  const pipeline = policies.pipeline('pipeline', {
    retry,
    breaker,
    bulkhead: policies.bulkhead('pipeline', { maxConcurrent: 20 }),
    timeout: policies.timeout('pipeline', { timeoutMs: 10 }),
    concurrency: policies.concurrency('pipeline'),
  });
  return { pipeline, breaker, retry };
}

/** Of some the caller ends the call himself; some take longer than their timeout. */
async function callPipeline(
  stage: Stage,
  act: Draw,
  key: () => string,
  lates: boolean,
): Promise<number> {
  const { pipeline, fallback } = stage;
  const calls = Array.from({ length: FLOOD }, (_, number) => {
    const caller = lates && number % 20 === 0 ? { signal: AbortSignal.timeout(1) } : {};
    const work = lates && number % 30 === 0 ? late : act();
    return pipeline.run(work, { fallback, key: key(), ...caller });
  });
  await Promise.allSettled(calls);
  return calls.length;
}

async function callBreakers(
  { breakers, fallback }: Stage,
  act: Draw,
  key: () => string,
): Promise<number> {
  for (const breaker of breakers) {
    await fallback.value(() => breaker.run(act()), key()).catch(() => 'failed');
    await breaker.run(act()).catch(() => 'refused');
  }
  return 2 * breakers.length;
}

async function floodQueue({ queue, limit }: Stage, act: Draw, key: () => string): Promise<number> {
  const works = Array.from({ length: FLOOD }, (_, number) =>
    limit.run(() => queue.submit(act(), { operation: `kind-${number % 3}` }), key()),
  );
  await Promise.allSettled(works);
  return works.length;
}

function touch(stage: Stage, random: () => number): void {
  const { policies, breakers, queue } = stage;
  const breaker = breakers[Math.floor(random() * breakers.length)];
  const by = { by: 'soak', reason: 'soak' };
  breaker?.retune({ recoveryMs: 5 + Math.floor(random() * 5) }, by);
  breaker?.override({ kind: 'force-open', id: 'soak', leaseMs: 3, ...by });
  queue.retune({ maxWorkers: 2 + Math.floor(random() * 4) });
  policies.allSnapshots();
}

function totalsOf({
  breakers,
  queue,
  limit,
  fallback,
  retry,
  seen,
}: Stage): Record<string, number> {
  const totals = breakers.map((breaker) => breaker.snapshot().totals);
  const { processed, rejected } = queue.snapshot();
  return {
    ...seen,
    succeeded: sum(totals.map(({ succeeded }) => succeeded)),
    failed: sum(totals.map(({ failed }) => failed)),
    refused: sum(totals.map((each) => each.rejected)),
    queued: processed,
    turnedAway: rejected + limit.snapshot().rejected,
    fellBack: fallback.snapshot().fallen,
    retried: retry.snapshot().retries,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
