import { checkRatio } from './check-option.ts';
import { monotonicClock, type Clock } from './clock.ts';
import type { InterlocksSnapshot } from './flow-snapshots.ts';
import { findCycle } from './interlock-cycle.ts';
import { PolicyError } from './policy-error.ts';
import type { Slowable } from './slow-downs.ts';

/** Something whose state rules can watch: made of a Breaker or a Backpressure, or of anything that tells a state. */
export interface InterlockSource {
  readonly kind: string;
  readonly name: string;
  /** What it makes act on what by itself, as `kind:name` of cause and effect. */
  readonly couplings?: readonly (readonly [cause: string, effect: string])[];
  state(): string;
  /** Calls after each change. Returns how to stop it. */
  onState(listener: () => void): () => void;
}

/** Something that can be told to serve from a fallback strategy. */
export interface Switchable {
  readonly kind: string;
  readonly name: string;
  serveFrom(by: string, strategy: string): void;
  release(by: string): boolean;
}

export type InterlockEffect =
  | { readonly kind: 'slow-down'; readonly policy: Slowable; readonly share: number }
  | { readonly kind: 'serve-from'; readonly policy: Switchable; readonly strategy: string };

/** While `when` is in one of the states of `is`, `then` holds. */
export interface InterlockRule {
  readonly name: string;
  readonly when: InterlockSource;
  readonly is: readonly string[];
  readonly then: InterlockEffect;
}

export interface InterlocksOptions {
  readonly rules: readonly InterlockRule[];
  /**
   * What acts on what besides the rules and besides what the sources tell, as `kind:name` of cause and effect: a
   * limit that is slowed down fills the queue in front of it. The rules are checked for cycles together with these.
   */
  readonly couplings?: readonly (readonly [cause: string, effect: string])[];
  readonly clock?: Clock;
}

interface Standing {
  readonly rule: InterlockRule;
  active: boolean;
  since: Date;
  activations: number;
}

/** What may be wrong with a set of rules; absent: nothing. */
export interface InterlockFault {
  readonly code: 'interlock-cycle' | 'invalid-option' | 'duplicate-name';
  readonly says: string;
  /** The policies round the cycle, the first one repeated at the end. */
  readonly cycle?: readonly string[];
}

/** Looks without applying anything. */
export function checkInterlocks(
  rules: readonly InterlockRule[],
  couplings: readonly (readonly [string, string])[] = [],
): InterlockFault | undefined {
  const names = new Set<string>();
  for (const { name, is } of rules) {
    if (names.has(name)) {
      return { code: 'duplicate-name', says: `there are two interlocks ${name}` };
    }
    names.add(name);
    if (is.length === 0) {
      return { code: 'invalid-option', says: `${name}: is names no state; allowed: at least one` };
    }
  }
  const edges = rules.map(({ when, then }) => [idOf(when), idOf(then.policy)] as const);
  const known = rules.flatMap(({ when }) => when.couplings ?? []);
  const cycle = findCycle([...edges, ...known, ...couplings]);
  return cycle && { code: 'interlock-cycle', says: `a cycle: ${cycle.join(' → ')}`, cycle };
}

/**
 * Rules of the form "while this breaker is open, run that limit at 60 %". They are checked before the first one
 * applies, and whatever one of them holds it lets go of when its cause has passed or the rule is gone.
 */
export class Interlocks {
  readonly kind = 'interlocks';
  readonly name: string;
  readonly #clock: Clock;
  #couplings: readonly (readonly [string, string])[];
  #standing: Standing[] = [];
  #stops: (() => void)[] = [];

  /** Throws PolicyError `interlock-cycle`, `invalid-option` or `duplicate-name`. */
  constructor(name: string, options: InterlocksOptions) {
    this.name = name;
    this.#clock = options.clock ?? monotonicClock;
    this.#couplings = options.couplings ?? [];
    this.replace(options.rules);
  }

  /**
   * Puts other rules in the place of these, all or none; a rule of the same name that still holds does not let go in
   * between. Throws as the constructor does and then changes nothing.
   */
  replace(rules: readonly InterlockRule[], couplings = this.#couplings): void {
    const fault = checkInterlocks(rules, couplings);
    if (fault) throw new PolicyError(fault.code, this.name, `${this.name}: ${fault.says}`);
    for (const { name, then } of rules) {
      if (then.kind === 'slow-down') checkRatio(`${this.name}/${name}`, 'share', then.share);
    }
    const before = this.#standing;
    for (const stop of this.#stops) stop();
    this.#couplings = couplings;
    this.#standing = rules.map((rule) => this.#take(rule, before));
    for (const gone of before) this.#letGo(gone);
    this.#stops = this.#standing.map((standing) =>
      standing.rule.when.onState(() => {
        this.#look(standing);
      }),
    );
    for (const standing of this.#standing) this.#look(standing);
  }

  /** Watches no more and lets go of all that is held. */
  stop(): void {
    this.replace([]);
  }

  snapshot(): InterlocksSnapshot {
    for (const standing of this.#standing) this.#look(standing);
    return {
      kind: 'interlocks',
      name: this.name,
      rules: this.#standing.map(({ rule, active, since, activations }) => ({
        rule: rule.name,
        when: { policy: idOf(rule.when), is: rule.is },
        does: describe(rule.then),
        active,
        since,
        activations,
      })),
    };
  }

  // The same policy and effect are simply held again; another one is let go of by its old rule.
  #take(rule: InterlockRule, before: readonly Standing[]): Standing {
    const old = before.find((standing) => standing.rule.name === rule.name);
    if (old?.active !== true || old.rule.then.policy !== rule.then.policy) {
      return { rule, active: false, since: this.#clock.wallTime(), activations: 0 };
    }
    old.active = false;
    if (rule.is.includes(rule.when.state())) this.#hold(rule);
    else rule.then.policy.release(this.#holder(rule));
    return {
      rule,
      active: rule.is.includes(rule.when.state()),
      since: old.since,
      activations: old.activations,
    };
  }

  #look(standing: Standing): void {
    const active = standing.rule.is.includes(standing.rule.when.state());
    if (active === standing.active) return;
    if (!active) {
      this.#letGo(standing);
      return;
    }
    standing.active = true;
    standing.activations++;
    standing.since = this.#clock.wallTime();
    this.#hold(standing.rule);
  }

  #hold(rule: InterlockRule): void {
    const by = this.#holder(rule);
    if (rule.then.kind === 'slow-down') rule.then.policy.slowDown(by, rule.then.share);
    else rule.then.policy.serveFrom(by, rule.then.strategy);
  }

  #letGo(standing: Standing): void {
    if (!standing.active) return;
    standing.active = false;
    standing.since = this.#clock.wallTime();
    standing.rule.then.policy.release(this.#holder(standing.rule));
  }

  #holder(rule: InterlockRule): string {
    return `interlock:${this.name}/${rule.name}`;
  }
}

function idOf({ kind, name }: { readonly kind: string; readonly name: string }): string {
  return `${kind}:${name}`;
}

function describe(effect: InterlockEffect): string {
  const policy = idOf(effect.policy);
  return effect.kind === 'slow-down'
    ? `slow ${policy} down to ${effect.share}`
    : `serve ${policy} from ${effect.strategy}`;
}
