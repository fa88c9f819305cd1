import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Breaker, type Permit } from './breaker.ts';
import type { Outcome } from './breaker-options.ts';
import { createFakeClock, type FakeClock } from './test/fake-clock.ts';

const failures = 3;
const recoveryMs = 100;
const leaseMs = 250;
const maxProbes = 2;
const successes = 2;

/** The reference: what the breaker must be, written as plainly as possible. */
class Automaton {
  state: 'closed' | 'open' | 'half-open' = 'closed';
  epoch = 0;
  nowMs = 0;
  inARow = 0;
  openings = 0;
  good = 0;
  retryAtMs = 0;
  late = 0;
  /** every call that is out, oldest first */
  out: { epoch: number; probe: boolean; endsMs: number }[] = [];

  move(to: 'closed' | 'open' | 'half-open') {
    this.state = to;
    this.epoch++;
    this.inARow = 0;
    this.good = 0;
    if (to === 'closed') this.openings = 0;
    if (to === 'open') {
      this.openings++;
      this.retryAtMs = this.nowMs + Math.min(400, recoveryMs * 2 ** (this.openings - 1));
    }
  }
  probes() {
    return this.out.filter((call) => call.probe && call.epoch === this.epoch);
  }
  look() {
    if (this.state === 'half-open' && this.probes().some((call) => call.endsMs <= this.nowMs)) {
      this.move('open');
    }
  }
  acquire() {
    this.look();
    if (this.state === 'open' && this.nowMs >= this.retryAtMs) this.move('half-open');
    const may =
      this.state === 'closed' || (this.state === 'half-open' && this.probes().length < maxProbes);
    if (!may) return false;
    this.out.push({
      epoch: this.epoch,
      probe: this.state === 'half-open',
      endsMs: this.nowMs + leaseMs,
    });
    return true;
  }
  settle(index: number, outcome: Outcome) {
    this.look();
    const [call] = this.out.splice(index, 1);
    if (call?.epoch !== this.epoch) this.late++;
    else if (outcome === 'ignored') return;
    else if (call.probe && outcome === 'failure') this.move('open');
    else if (call.probe && ++this.good >= successes) this.move('closed');
    else if (!call.probe) this.inARow = outcome === 'failure' ? this.inARow + 1 : 0;
    if (this.inARow >= failures) this.move('open');
  }
}

interface Real {
  breaker: Breaker;
  clock: FakeClock;
  out: Permit[];
  firstEpoch: number;
}

class Step implements fc.Command<Automaton, Real> {
  readonly #says: string;
  readonly #check: (model: Automaton) => boolean;
  readonly #run: (model: Automaton, real: Real) => void;
  constructor(
    says: string,
    run: (model: Automaton, real: Real) => void,
    check: (model: Automaton) => boolean = () => true,
  ) {
    this.#says = says;
    this.#run = run;
    this.#check = check;
  }
  check(model: Readonly<Automaton>) {
    return this.#check(model);
  }
  run(model: Automaton, real: Real) {
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
    ];
    const expected = [
      model.state,
      model.epoch,
      model.openings,
      model.state === 'half-open' ? model.probes().length : 0,
      model.late,
      model.state === 'open' ? Math.max(0, model.retryAtMs - model.nowMs) : 0,
    ];
    // expect() costs more than all the rest; it only has to tell a difference
    if (shown.join() !== expected.join()) expect(shown).toEqual(expected);
    if (snapshot.probesInFlight > maxProbes) throw new Error('more probes than places');
  }
  toString() {
    return this.#says;
  }
}

const acquire = fc.constant(
  new Step('acquire', (model, real) => {
    const permit = real.breaker.acquire();
    if (model.acquire() !== (permit !== undefined)) throw new Error('let through otherwise');
    if (permit !== undefined) real.out.push(permit);
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

const settings = {
  opensOn: { kind: 'consecutive', failures },
  recoveryMs,
  recoveryMaxMs: 400,
  jitter: 'none',
  probeLeaseMs: leaseMs,
  halfOpenMaxCalls: maxProbes,
  halfOpenSuccesses: successes,
} as const;

it('moves exactly as the reference automaton, in any order of calls, results, time and resets', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(
      fc.commands([acquire, acquire, acquire, settle, settle, settle, advance, reset], {
        size: 'large',
        maxCommands: 200,
      }),
      (steps) => {
        const clock = createFakeClock();
        const breaker = new Breaker('orders', { ...settings, clock });
        breaker.onTransition(({ from, why, to }) => seen.add(`${from} ${why} ${to}`));
        const setup = () => ({
          model: new Automaton(),
          real: { breaker, clock, out: [], firstEpoch: breaker.snapshot().epoch },
        });
        fc.modelRun(setup, steps);
      },
    ),
    { numRuns: 3000 },
  );
  // the runs went everywhere
  expect([...seen].sort()).toEqual([
    'closed reset closed',
    'closed threshold open',
    'half-open probe-expired open',
    'half-open probe-failed open',
    'half-open probes-succeeded closed',
    'half-open reset closed',
    'open recovery-due half-open',
    'open reset closed',
  ]);
});

it('always has a way back to closed', () => {
  fc.assert(
    fc.property(fc.commands([acquire, settle, advance], { size: 'large' }), (steps) => {
      const clock = createFakeClock();
      const breaker = new Breaker('orders', { ...settings, clock });
      fc.modelRun(
        () => ({
          model: new Automaton(),
          real: { breaker, clock, out: [], firstEpoch: breaker.snapshot().epoch },
        }),
        steps,
      );
      for (let tries = 0; tries < 10 && breaker.snapshot().state !== 'closed'; tries++) {
        clock.advance(1000);
        const permit = breaker.acquire();
        if (permit !== undefined) breaker.record(permit, 'success');
      }
      expect(breaker.snapshot().state).toBe('closed');
    }),
  );
});
