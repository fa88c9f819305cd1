/** One request, good or bad. */
export interface Outcome {
  readonly atMs: number;
  readonly isBad: boolean;
}

/** Fewer good ones before it, and nobody knows that it was ever different. */
const LEAST_BEFORE = 10;

/**
 * When bad outcomes began to be more than `limit` of all: the first bad one after the point that best divides the
 * time into a before and an after (largest likelihood of two rates against one). Undefined: not above the limit
 * after it, above it before it already, or too little seen before it.
 */
export function onsetOf(outcomes: readonly Outcome[], limit: number): number | undefined {
  const ordered = [...outcomes].sort((a, b) => a.atMs - b.atMs);
  const bad = ordered.filter(({ isBad }) => isBad).length;
  let best: { readonly at: number; readonly likelihood: number } | undefined;
  let badBefore = 0;
  for (const [index, outcome] of ordered.entries()) {
    if (index >= LEAST_BEFORE && outcome.isBad) {
      const likelihood =
        logLikelihood(badBefore, index) + logLikelihood(bad - badBefore, ordered.length - index);
      const divides =
        badBefore / index <= limit && (bad - badBefore) / (ordered.length - index) > limit;
      if (divides && (best === undefined || likelihood > best.likelihood))
        best = { at: outcome.atMs, likelihood };
    }
    if (outcome.isBad) badBefore += 1;
  }
  return best?.at;
}

/** Of `bad` in `all` at their own rate. */
function logLikelihood(bad: number, all: number): number {
  const part = (count: number): number => (count === 0 ? 0 : count * Math.log(count / all));
  return part(bad) + part(all - bad);
}
