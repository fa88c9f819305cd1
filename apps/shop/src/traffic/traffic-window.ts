/** What the users met in one window of time, by the moment at which their requests ended. */
export interface TrafficWindow {
  readonly startedAt: string;
  readonly windowMs: number;
  readonly ok: number;
  readonly failed: number;
  /** 0–1; absent when nothing ended in the window. */
  readonly successRatio?: number;
  /** Of all that ended, good or bad; absent as above. */
  readonly p95Ms?: number;
  /** How often each way to fail was met, e.g. `503 orders`, `timeout`, `ECONNREFUSED`. */
  readonly reasons: Readonly<Record<string, number>>;
}

export type Met =
  | { readonly kind: 'ok'; readonly tookMs: number }
  | { readonly kind: 'failed'; readonly tookMs: number; readonly reason: string };

/** Sums up one window. */
export function windowOf(met: readonly Met[], startedAt: Date, windowMs: number): TrafficWindow {
  const failed = met.filter((each) => each.kind === 'failed');
  const reasons: Record<string, number> = {};
  for (const { reason } of failed) reasons[reason] = (reasons[reason] ?? 0) + 1;
  const ok = met.length - failed.length;
  return {
    startedAt: startedAt.toISOString(),
    windowMs,
    ok,
    failed: failed.length,
    ...(met.length > 0 && { successRatio: ok / met.length, p95Ms: p95Of(met) }),
    reasons,
  };
}

/** Nearest rank: the smallest time that at least 95 % did not exceed. */
function p95Of(met: readonly Met[]): number {
  const sorted = met.map((each) => each.tookMs).sort((a, b) => a - b);
  return Math.round(sorted[Math.ceil(sorted.length * 0.95) - 1] ?? 0);
}
