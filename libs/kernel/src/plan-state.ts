/** Why a plan exists: it wins time, ends the cause, takes an earlier plan back, or a person asked for it. */
export type PlanRole = 'relieve' | 'cure' | 'undo' | 'asked';

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

/** What the journal says of an operation after its intent. `not-applied`: probed and tombstoned. */
export type JournalOutcome =
  'applied' | 'refused' | 'failed' | 'partial' | 'indeterminate' | 'not-applied';
