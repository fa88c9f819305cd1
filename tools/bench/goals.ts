import { timesFaster, type Spread } from './statistics.ts';

/** What takes part in each comparison. */
export type Entrant = 'process' | 'client' | 'inSequence' | 'allAtOnce';

export interface Goal {
  readonly says: string;
  readonly isMet: boolean;
}

const LEAST_TIMES_FASTER_THAN_SEQUENCE = 5;
const LEAST_TIMES_FASTER_THAN_AT_ONCE = 1;
const MOST_MS_WITH_HISTORY = 1000;

/** The sweep is judged as a person runs it: the whole process. */
export function judgeGoals(results: Readonly<Record<Entrant, Spread>>): readonly Goal[] {
  const toSequence = timesFaster(results.process, results.inSequence);
  const toAtOnce = timesFaster(results.process, results.allAtOnce);
  return [
    {
      says: `at least ${LEAST_TIMES_FASTER_THAN_SEQUENCE} times faster than the guide in sequence: ${toSequence.toFixed(2)}`,
      isMet: toSequence >= LEAST_TIMES_FASTER_THAN_SEQUENCE,
    },
    {
      says: `no slower than its commands all at once: ${toAtOnce.toFixed(2)}`,
      isMet: toAtOnce >= LEAST_TIMES_FASTER_THAN_AT_ONCE,
    },
    {
      says: `under ${MOST_MS_WITH_HISTORY} ms with history: ${results.process.median.toFixed(0)} ms`,
      isMet: results.process.median < MOST_MS_WITH_HISTORY,
    },
  ];
}
