import type { Footprint } from '@starr/kernel';

/** Adds up what a patient was asked for. */
export interface Meter {
  readonly spend: (what: string, amount: number) => void;
  readonly total: () => Footprint;
}

export function createMeter(): Meter {
  const totals = new Map<string, number>();
  return {
    spend: (what, amount) => {
      totals.set(what, (totals.get(what) ?? 0) + amount);
    },
    total: () => Object.fromEntries(totals),
  };
}
