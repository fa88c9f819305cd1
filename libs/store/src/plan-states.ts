/**
 * proposed → planned (sealed) → approved → applying → verifying → established | missed.
 * refused, failed, indeterminate: how applying may end instead. superseded: another plan acted on the target while
 * this one was still being verified.
 */
export type PlanState =
  | 'proposed'
  | 'planned'
  | 'approved'
  | 'applying'
  | 'verifying'
  | 'established'
  | 'missed'
  | 'refused'
  | 'failed'
  | 'indeterminate'
  | 'superseded';

/** States in which a plan has no journal yet and may be sealed anew; its approval is void then. Later it is planned under a new number. */
export const REPLANNABLE: readonly PlanState[] = ['proposed', 'planned', 'approved'];
