// Half of a cycle on purpose: check-boundaries.ts puts the other half in its place and expects the linter to see it.
export const one = 1;
