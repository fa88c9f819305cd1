import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Breaker, type Permit } from './breaker.ts';
import type { BreakerOptions, Outcome } from './breaker-options.ts';
import { createFakeClock, type FakeClock } from './test/fake-clock.ts';
import { ReferenceAutomaton, type ReferenceSettings } from './test/reference-automaton.ts';

const settings: ReferenceSettings = {
  failures: 3,
  recoveryMs: 100,
  recoveryMaxMs: 400,
  leaseMs: 250,
  maxProbes: 2,
  successes: 2,
};

function optionsOf(of: ReferenceSettings): BreakerOptions {
  return {
    opensOn: { kind: 'consecutive', failures: of.failures },
    recoveryMs: of.recoveryMs,
    recoveryMaxMs: of.recoveryMaxMs,
    probeLeaseMs: of.leaseMs,
    halfOpenMaxCalls: of.maxProbes,
    halfOpenSuccesses: of.successes,
    jitter: 'none',
  };
}

interface Real {
  breaker: Breaker;
  clock: FakeClock;
  out: Permit[];
  settled: number;
  firstEpoch: number;
}

class Step implements fc.Command<ReferenceAutomaton, Real> {
  readonly #says: string;
  readonly #check: (model: ReferenceAutomaton) => boolean;
  readonly #run: (model: ReferenceAutomaton, real: Real) => void;
  constructor(
    says: string,
    run: (model: ReferenceAutomaton, real: Real) => void,
    check: (model: ReferenceAutomaton) => boolean = () => true,
  ) {
    this.#says = says;
    this.#run = run;
    this.#check = check;
  }
  check(model: Readonly<ReferenceAutomaton>) {
    return this.#check(model);
  }
  run(model: ReferenceAutomaton, real: Real) {
    this.#run(model, real);
    model.look();
    const snapshot = real.breaker.snapshot();
    const shown = [
      snapshot.state,
      snapshot.epoch - real.firstEpoch,
      snapshot.openingsInARow,
      snapshot.probesInFlight,
      snapshot.totals.late,
      snapshot.timeUntilRetryMs ?? 0,
      snapshot.inFlight,
      snapshot.override?.kind,
      snapshot.override?.leaseLeftMs,
    ];
    const expected = [
      model.state,
      model.epoch,
      model.openings,
      model.state === 'half-open' ? model.probes().length : 0,
      model.late,
      model.state === 'open' ? Math.max(0, model.retryAtMs - model.nowMs) : 0,
      model.out.length,
      model.override?.kind,
      model.override && model.override.endsMs - model.nowMs,
    ];
    // expect() costs more than all the rest; it only has to tell a difference
    if (shown.join() !== expected.join()) expect(shown).toEqual(expected);
    const { succeeded, failed, ignored, late } = snapshot.totals;
    // an expired probe counts twice: as failed when its lease ends, as late when its result comes
    if (succeeded + failed + ignored + late < real.settled) throw new Error('a result was lost');
  }
  toString() {
    return this.#says;
  }
}

const acquire = fc.constant(
  new Step('acquire', (model, real) => {
    const permit = real.breaker.acquire();
    if (model.acquire() !== (permit !== undefined)) throw new Error('let through otherwise');
    if (permit === undefined) return;
    real.out.push(permit);
    const { probesInFlight } = real.breaker.snapshot();
    if (model.out.at(-1)?.probe && probesInFlight > model.settings.maxProbes) {
      throw new Error('more probes than places');
    }
  }),
);
const settle = fc
  .tuple(fc.nat(100), fc.constantFrom<Outcome>('success', 'failure', 'failure', 'ignored'))
  .map(
    ([pick, outcome]) =>
      new Step(
        `settle ${String(pick)} ${outcome}`,
        (model, real) => {
          const index = pick % model.out.length;
          model.settle(index, outcome);
          for (const permit of real.out.splice(index, 1)) real.breaker.record(permit, outcome);
          real.settled++;
        },
        (model) => model.out.length > 0,
      ),
  );
const advance = fc.constantFrom(1, 50, 99, 100, 249, 250, 1000).map(
  (byMs) =>
    new Step(`advance ${String(byMs)}`, (model, real) => {
      model.nowMs += byMs;
      real.clock.advance(byMs);
    }),
);
const reset = fc.constant(
  new Step('reset', (model, real) => {
    model.look();
    model.move('closed');
    real.breaker.reset();
  }),
);
const override = fc
  .tuple(
    fc.constantFrom('force-open', 'hold-closed', 'half-open-now', 'serve-stale'),
    fc.constantFrom(100, 400),
  )
  .map(
    ([kind, leaseMs]) =>
      new Step(`override ${kind} ${String(leaseMs)}`, (model, real) => {
        model.lay(kind, leaseMs);
        real.breaker.override({ id: 'o', kind, leaseMs, by: 'spec', reason: 'model' });
      }),
  );
const release = fc.constant(
  new Step('release', (model, real) => {
    model.look();
    model.override = undefined;
    real.breaker.release('o');
  }),
);
const retune = fc
  .record({
    failures: fc.constantFrom(2, 3, 4),
    recoveryMs: fc.constantFrom(50, 100, 200),
    maxProbes: fc.constantFrom(1, 2, 3),
    successes: fc.constantFrom(1, 2),
  })
  .map(
    (change) =>
      new Step(`retune ${JSON.stringify(change)}`, (model, real) => {
        model.settings = { ...model.settings, ...change };
        const before = real.breaker.snapshot();
        real.breaker.retune(optionsOf(model.settings));
        const after = real.breaker.snapshot();
        if (before.epoch !== after.epoch) throw new Error('the edit itself moved it');
      }),
  );

function start() {
  const clock = createFakeClock();
  const breaker = new Breaker('orders', { ...optionsOf(settings), clock });
  const model = new ReferenceAutomaton(settings);
  const firstEpoch = breaker.snapshot().epoch;
  return { model, real: { breaker, clock, out: [], settled: 0, firstEpoch } };
}

it('moves exactly as the reference automaton, in any order of calls, results, time, resets, overrides and retunes', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(
      fc.commands(
        [
          acquire,
          acquire,
          acquire,
          settle,
          settle,
          settle,
          advance,
          reset,
          override,
          release,
          retune,
        ],
        { size: 'large', maxCommands: 200 },
      ),
      (steps) => {
        const made = start();
        made.real.breaker.onTransition(({ from, why, to }) => seen.add(`${from} ${why} ${to}`));
        made.real.breaker.onOverride(({ what, override: { kind } }) => seen.add(`${what} ${kind}`));
        fc.modelRun(() => made, steps);
      },
    ),
    { numRuns: 2000 },
  );
  // the runs went everywhere
  expect([...seen].sort()).toEqual(
    [
      'closed reset closed',
      'closed threshold open',
      'half-open probe-expired open',
      'half-open probe-failed open',
      'half-open probes-succeeded closed',
      'half-open reset closed',
      'open half-open-now half-open',
      'open recovery-due half-open',
      'open reset closed',
      'spent half-open-now',
      ...['begun', 'expired', 'released', 'renewed', 'replaced'].flatMap((what) =>
        ['force-open', 'hold-closed', 'half-open-now', 'serve-stale'].map(
          (kind) => `${what} ${kind}`,
        ),
      ),
    ].sort(),
  );
});

it('always has a way back to closed', () => {
  fc.assert(
    fc.property(
      fc.commands([acquire, settle, advance, override, retune], { size: 'large' }),
      (steps) => {
        const made = start();
        fc.modelRun(() => made, steps);
        const { breaker, clock } = made.real;
        for (let tries = 0; tries < 10 && breaker.snapshot().state !== 'closed'; tries++) {
          clock.advance(1000);
          const permit = breaker.acquire();
          if (permit !== undefined) breaker.record(permit, 'success');
        }
        expect(breaker.snapshot().state).toBe('closed');
      },
    ),
  );
});
