import type { PlanState } from '@starr/kernel';

/** States in which a plan has no journal yet and may be sealed anew; its approval is void then. Later it is planned under a new number. */
export const REPLANNABLE: readonly PlanState[] = ['proposed', 'planned', 'approved'];
