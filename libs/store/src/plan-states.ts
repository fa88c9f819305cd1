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

/** States in which the plan has not acted and may be planned anew; its approval is void then. */
export const REPLANNABLE: readonly PlanState[] = ['proposed', 'planned', 'approved', 'refused'];
