import PQueue from 'p-queue';
import { WorkQueue } from '../../work-queue.ts';
import { act, type Race } from './contestant.ts';

const workers = 10;
const timeoutMs = 1000;
const burst = 100;

/** As many works as `burst` at once, of which `workers` run at a time. */
function flood(add: () => Promise<unknown>): () => Promise<unknown> {
  return () => Promise.all(Array.from({ length: burst }, add));
}

export const queueRaces = {
  queue: {
    says: 'queue with a deadline, a worker is free',
    contestants: {
      starr: () => {
        const queue = new WorkQueue('race', {
          maxWorkers: workers,
          maxSize: 1000,
          waitTimeoutMs: timeoutMs,
        });
        return { call: () => queue.submit(act) };
      },
      'p-queue': () => {
        const queue = new PQueue({ concurrency: workers, timeout: timeoutMs });
        return { call: () => queue.add(act) };
      },
    },
  },
  'queue-burst': {
    says: `queue with a deadline, ${burst} works at once for ${workers} workers`,
    contestants: {
      starr: () => {
        const queue = new WorkQueue('race', {
          maxWorkers: workers,
          maxSize: 1000,
          waitTimeoutMs: timeoutMs,
        });
        return { call: flood(() => queue.submit(act)), callsEach: burst };
      },
      'p-queue': () => {
        const queue = new PQueue({ concurrency: workers, timeout: timeoutMs });
        return { call: flood(() => queue.add(act)), callsEach: burst };
      },
    },
  },
} satisfies Record<string, Race>;
