import type { OpensOn } from './breaker-options.ts';
import type { Verdict } from './outcome-window.ts';

export type Ratios = Exclude<OpensOn, { kind: 'consecutive' }>;

/** Numbers, not the options' own objects: these have many shapes, and reading them would cost more than judging. */
export class WindowRule<R extends Ratios> {
  readonly opensOn: R;
  readonly #minimumCalls: number;
  readonly #failureRatio: number;
  readonly #slowRatio: number;

  constructor(opensOn: R) {
    const mostCalls = opensOn.kind === 'count' ? opensOn.size : Infinity;
    this.opensOn = opensOn;
    this.#minimumCalls = Math.min(opensOn.minimumCalls, mostCalls);
    this.#failureRatio = opensOn.failureRatio;
    this.#slowRatio = opensOn.slowCalls?.ratio ?? Infinity;
  }

  judge(calls: number, failures: number, slow: number): Verdict {
    if (calls < this.#minimumCalls) return undefined;
    if (failures >= calls * this.#failureRatio) return 'threshold';
    return slow >= calls * this.#slowRatio ? 'slow-calls' : undefined;
  }
}

const rules = new WeakMap<Ratios, unknown>();

/** Windows of the same options share one. */
export function ruleOf<R extends Ratios>(opensOn: R): WindowRule<R> {
  const known = rules.get(opensOn) as WindowRule<R> | undefined;
  if (known) return known;
  const rule = new WindowRule(opensOn);
  rules.set(opensOn, rule);
  return rule;
}
