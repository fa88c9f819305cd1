import { describe, expect, it } from '@jest/globals';
import type { JournalOutcome, PlannedOperation } from '@starr/kernel';
import fc from 'fast-check';
import { nextAct, type JournalView } from './plan-types.ts';

type Rule = 'stop' | 'continue';

function operation(
  id: string,
  onRefused: Rule = 'stop',
  onFailed: Rule = 'stop',
): PlannedOperation {
  return { id, says: `do ${id}`, byHand: id, reversible: true, onRefused, onFailed };
}

const entry = (id: string, outcome?: JournalOutcome): JournalView =>
  outcome === undefined ? { operation: id } : { operation: id, outcome };

const two = [operation('a'), operation('b')];
const lenient = [operation('a', 'continue', 'continue'), operation('b', 'continue', 'continue')];

describe('nextAct', () => {
  it.each<[string, readonly PlannedOperation[], readonly JournalView[], object]>([
    ['nothing begun', two, [], { do: 'apply', operation: { id: 'a' } }],
    ['the first applied', two, [entry('a', 'applied')], { do: 'apply', operation: { id: 'b' } }],
    ['an intent without an answer', two, [entry('a')], { do: 'probe', operation: { id: 'a' } }],
    [
      'the second without an answer',
      two,
      [entry('a', 'applied'), entry('b')],
      { do: 'probe', operation: { id: 'b' } },
    ],
    ['all applied', two, [entry('a', 'applied'), entry('b', 'applied')], { do: 'verify' }],
    ['refused at once', two, [entry('a', 'refused')], { do: 'end', state: 'refused' }],
    [
      'refused after something was done',
      two,
      [entry('a', 'applied'), entry('b', 'refused')],
      { do: 'end', state: 'failed', says: 'done in part; the rest was refused: do b' },
    ],
    ['failed clean', two, [entry('a', 'failed')], { do: 'end', state: 'failed' }],
    ['probed as not applied', two, [entry('a', 'not-applied')], { do: 'end', state: 'failed' }],
    ['applied in part', two, [entry('a', 'partial')], { do: 'end', state: 'failed' }],
    [
      'not to be told, whatever the rules say',
      lenient,
      [entry('a', 'indeterminate')],
      { do: 'end', state: 'indeterminate' },
    ],
    ['refused, and it may go on', lenient, [entry('a', 'refused')], { do: 'apply' }],
    ['failed, and it may go on', lenient, [entry('a', 'failed')], { do: 'apply' }],
    [
      'in part, and it may go on',
      lenient,
      [entry('a', 'partial'), entry('b', 'refused')],
      { do: 'verify' },
    ],
    [
      'all refused, and it went on',
      lenient,
      [entry('a', 'refused'), entry('b', 'refused')],
      { do: 'end', state: 'refused' },
    ],
    [
      'one refused, one failed',
      lenient,
      [entry('a', 'refused'), entry('b', 'failed')],
      { do: 'end', state: 'failed' },
    ],
  ])('%s', (_, operations, journal, expected) => {
    expect(nextAct(operations, journal)).toMatchObject(expected);
  });

  it('never applies what has an intent, whatever the journal says', () => {
    const outcomes = fc.constantFrom<JournalOutcome | undefined>(
      undefined,
      'applied',
      'refused',
      'failed',
      'partial',
      'indeterminate',
      'not-applied',
    );
    const rules = fc.constantFrom<Rule>('stop', 'continue');
    const operations = fc
      .array(fc.tuple(rules, rules), { minLength: 1, maxLength: 4 })
      .map((all) => all.map(([refused, failed], index) => operation(`o${index}`, refused, failed)));
    fc.assert(
      fc.property(operations, fc.array(outcomes, { maxLength: 4 }), (planned, known) => {
        const journal = known.map((outcome, index) => entry(`o${index}`, outcome));
        const act = nextAct(planned, journal);
        if (act.do === 'apply')
          expect(journal.map((one) => one.operation)).not.toContain(act.operation.id);
      }),
    );
  });
});
