import {
  ConsecutiveBreaker,
  CountBreaker,
  SamplingBreaker,
  circuitBreaker,
  handleAll,
  type IBreaker,
} from 'cockatiel';
import CircuitBreaker from 'opossum';
import { Breaker } from '../../breaker.ts';
import type { BreakerOptions, OpensOn } from '../../breaker-options.ts';
import { act, fail, type Contestant, type Race } from './contestant.ts';

const windowMs = 10_000;
const size = 100;
const recoveryMs = 86_400_000;
const timed: OpensOn = { kind: 'time', failureRatio: 0.5, minimumCalls: 10, windowMs, buckets: 10 };

function starr(options: BreakerOptions): () => Contestant {
  return () => {
    const breaker = new Breaker('race', options);
    return { call: () => breaker.run(act) };
  };
}

function cockatiel(breaker: () => IBreaker): () => Contestant {
  return () => {
    const circuit = circuitBreaker(handleAll, { breaker: breaker(), halfOpenAfter: 1000 });
    return { call: () => circuit.execute(act) };
  };
}

/** Its latencies are kept in all of these; without them it cannot say how long calls take. */
function opossum(options: CircuitBreaker.Options): () => Contestant {
  return () => {
    const circuit = new CircuitBreaker(act, { volumeThreshold: 10, ...options });
    return {
      call: () => circuit.fire(),
      end: () => {
        circuit.shutdown();
      },
    };
  };
}

/** Closed, all calls succeed. */
export const breakerRaces = {
  consecutive: {
    says: 'closed breaker, failures in a row',
    contestants: {
      starr: starr({ opensOn: { kind: 'consecutive', failures: 5 } }),
      cockatiel: cockatiel(() => new ConsecutiveBreaker(5)),
    },
  },
  count: {
    says: `closed breaker, window of ${size} calls`,
    contestants: {
      starr: starr({ opensOn: { kind: 'count', failureRatio: 0.5, minimumCalls: 10, size } }),
      cockatiel: cockatiel(() => new CountBreaker({ threshold: 0.5, size })),
    },
  },
  time: {
    says: 'closed breaker, window of 10 s, no latencies',
    contestants: {
      starr: starr({ opensOn: timed, measureLatency: false }),
      cockatiel: cockatiel(() => new SamplingBreaker({ threshold: 0.5, duration: windowMs })),
      opossum: opossum({ timeout: false, rollingPercentilesEnabled: false }),
    },
  },
  latencies: {
    says: 'closed breaker, window of 10 s, slow calls, latency histogram',
    contestants: {
      starr: starr({ opensOn: { ...timed, slowCalls: { afterMs: 500, ratio: 0.5 } } }),
      opossum: opossum({ timeout: false }),
    },
  },
} satisfies Record<string, Race>;

/** Open: every call is refused. */
export const refusalRaces = {
  refused: {
    says: 'open breaker, refused call',
    contestants: {
      starr: () => {
        const breaker = new Breaker('race', {
          opensOn: { kind: 'consecutive', failures: 1 },
          recoveryMs,
          jitter: 'none',
        });
        void breaker.run(fail).catch(() => 'opened');
        return { call: () => breaker.run(act) };
      },
      opossum: () => {
        const circuit = new CircuitBreaker(act, { timeout: false, resetTimeout: 2 ** 31 - 1 });
        circuit.open();
        return {
          call: () => circuit.fire(),
          end: () => {
            circuit.shutdown();
          },
        };
      },
      cockatiel: () => {
        const circuit = circuitBreaker(handleAll, {
          breaker: new ConsecutiveBreaker(1),
          halfOpenAfter: recoveryMs,
        });
        void circuit.execute(fail).catch(() => 'opened');
        return { call: () => circuit.execute(act) };
      },
    },
  },
} satisfies Record<string, Race>;
