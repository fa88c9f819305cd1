import type { Footprint, Limit } from '@starr/kernel';

/** A limit as the host gives one, with its bill. */
export interface MeteredLimit extends Limit {
  bill(): Footprint;
}

export function limitOf(
  timeoutMs = 2000,
  { maxRows = 100, signal = new AbortController().signal }: Partial<Limit> = {},
): MeteredLimit {
  const spent: Record<string, number> = {};
  return {
    timeoutMs,
    maxRows,
    signal,
    spend: (what, amount) => {
      spent[what] = (spent[what] ?? 0) + amount;
    },
    bill: () => ({ ...spent }),
  };
}
