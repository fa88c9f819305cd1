import { describe, expect, it } from '@jest/globals';
import type { ResetBreaker } from '../request.ts';
import { breakerOf, openBreaker } from '../test/seen.ts';
import type { Fleet, FleetAnswer } from './fleet.ts';
import { recallFromFleet, resetInFleet } from './reset-in-fleet.ts';

type Answers = readonly FleetAnswer[];

const done: FleetAnswer = { kind: 'done', before: openBreaker(), after: breakerOf({ epoch: 3 }) };
const refused: FleetAnswer = { kind: 'refused', now: breakerOf({ epoch: 5 }) };
const notDone: FleetAnswer = { kind: 'not-done', says: 'the command never came here' };
const gone: FleetAnswer = { kind: 'not-attached' };
const unheard: FleetAnswer = { kind: 'no-answer' };

/** Processes p0, p1 … that answer so. */
function fleetOf(answers: Answers): Pick<Fleet, 'command' | 'waitForAttached'> {
  return {
    command: (_service, instance) => Promise.resolve(answers[Number(instance.slice(1))] ?? gone),
    waitForAttached: () => Promise.resolve(true),
  };
}

function actOn(answers: Answers): ResetBreaker {
  return {
    kind: 'reset-breaker',
    service: 'checkout',
    breaker: 'payments',
    processes: answers.map((_, index) => ({ instance: `p${index}`, epoch: 2, state: 'open' })),
  };
}

describe('a reset in several processes', () => {
  it.each<[string, Answers, string]>([
    ['all do it', [done, done], 'applied'],
    ['one has moved on', [done, refused], 'partial'],
    ['one is gone', [done, gone], 'partial'],
    ['one has no such breaker', [notDone, done], 'partial'],
    ['none does it', [refused, gone, notDone], 'refused'],
    ['one does not answer', [done, unheard], 'indeterminate'],
    ['none answers', [unheard], 'indeterminate'],
  ])('ends when %s', async (_says, answers, expected) => {
    const events = [];
    for await (const event of resetInFleet(fleetOf(answers), actOn(answers), 'op', 10)) {
      events.push(event);
    }
    expect(events).toHaveLength(answers.length + 1);
    expect(events.at(-1)).toMatchObject({ kind: 'outcome', outcome: expected });
    expect(events.at(-2)).toMatchObject({ kind: 'progress', ratio: 1 });
  });

  it('keeps the old and the new state of each process that did it', async () => {
    const answers = [done, refused];
    let last: unknown;
    for await (const event of resetInFleet(fleetOf(answers), actOn(answers), 'op', 10))
      last = event;
    expect(last).toEqual({
      kind: 'outcome',
      outcome: 'partial',
      says: 'p0: acknowledged, open → closed; p1: refused, the breaker has moved on: closed, epoch 5',
      before: {
        processes: [
          { instance: 'p0', state: 'open', epoch: 2, windowCalls: 10, windowFailures: 9 },
        ],
      },
      after: {
        processes: [
          { instance: 'p0', state: 'closed', epoch: 3, windowCalls: 0, windowFailures: 0 },
        ],
      },
    });
  });
});

describe('asking what became of it', () => {
  it.each<[string, Answers, string]>([
    ['all did it', [done, done], 'applied'],
    ['one did it and one refused', [done, refused], 'applied'],
    ['one did it and one never got it', [done, notDone], 'applied'],
    ['one did it and one has ended', [done, gone], 'applied'],
    ['one did it and one does not answer', [done, unheard], 'indeterminate'],
    ['none did it', [refused, notDone], 'not-applied'],
    ['one never got it and one has ended', [notDone, gone], 'indeterminate'],
    ['all have ended', [gone, gone], 'indeterminate'],
  ])('tells when %s', async (_says, answers, expected) => {
    const probed = await recallFromFleet(fleetOf(answers), actOn(answers), 'op', 10);
    expect(probed.state).toBe(expected);
  });
});
