import type { StoredPlan } from '@starr/store';

const MOST = 200;

/** The last plans that passed through here: with the store away their commands can still be printed. */
export class RecentPlans {
  readonly #plans = new Map<string, StoredPlan>();

  keep(plan: StoredPlan): void {
    this.#plans.delete(plan.id);
    this.#plans.set(plan.id, plan);
    const [oldest] = this.#plans.keys();
    if (this.#plans.size > MOST && oldest !== undefined) this.#plans.delete(oldest);
  }

  get(id: string): StoredPlan | undefined {
    return this.#plans.get(id);
  }
}
