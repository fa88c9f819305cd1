import {
  ConsecutiveBreaker,
  TimeoutStrategy,
  bulkhead,
  circuitBreaker,
  handleAll,
  retry,
  timeout,
  wrap,
} from 'cockatiel';
import CircuitBreaker from 'opossum';
import { Breaker } from '../../breaker.ts';
import { Bulkhead } from '../../bulkhead.ts';
import { Pipeline } from '../../pipeline.ts';
import { Retry } from '../../retry.ts';
import { Timeout } from '../../timeout.ts';
import { act, type Race } from './contestant.ts';

const timeoutMs = 10_000;
const maxConcurrent = 10;

/** Nothing fails, nothing takes long: what is paid for being guarded. */
export const pipelineRaces = {
  timeout: {
    says: 'timeout alone',
    contestants: {
      starr: () => {
        const limit = new Timeout('race', { timeoutMs });
        return { call: () => limit.run(act) };
      },
      cockatiel: () => {
        const limit = timeout(timeoutMs, TimeoutStrategy.Aggressive);
        return { call: () => limit.execute(act) };
      },
    },
  },
  'timed-breaker': {
    says: 'breaker over 10 s with latencies and a timeout: all that opossum does by default',
    contestants: {
      starr: () => {
        const pipeline = new Pipeline('race', {
          breaker: new Breaker('race'),
          timeout: new Timeout('race', { timeoutMs }),
        });
        return { call: () => pipeline.run(act) };
      },
      opossum: () => {
        const circuit = new CircuitBreaker(act);
        return {
          call: () => circuit.fire(),
          end: () => {
            circuit.shutdown();
          },
        };
      },
    },
  },
  pipeline: {
    says: 'retry, breaker, timeout and bulkhead around one call',
    contestants: {
      starr: () => {
        const pipeline = new Pipeline('race', {
          retry: new Retry('race'),
          bulkhead: new Bulkhead('race', { maxConcurrent }),
          breaker: new Breaker('race', { opensOn: { kind: 'consecutive', failures: 5 } }),
          timeout: new Timeout('race', { timeoutMs }),
        });
        return { call: () => pipeline.run(act) };
      },
      cockatiel: () => {
        const wrapped = wrap(
          retry(handleAll, { maxAttempts: 2 }),
          bulkhead(maxConcurrent, 0),
          circuitBreaker(handleAll, { breaker: new ConsecutiveBreaker(5), halfOpenAfter: 1000 }),
          timeout(timeoutMs, TimeoutStrategy.Aggressive),
        );
        return { call: () => wrapped.execute(act) };
      },
    },
  },
} satisfies Record<string, Race>;
