import type { BulkheadSnapshot } from './bulkhead.ts';
import type { FlowSnapshot } from './flow-snapshots.ts';
import type { PipelineSnapshot } from './pipeline.ts';
import type { RetrySnapshot } from './retry.ts';
import type { PolicySnapshot } from './snapshots.ts';
import type { TimeoutSnapshot } from './timeout.ts';

/** What any policy of a process shows. */
export type AnyPolicySnapshot =
  | PolicySnapshot
  | FlowSnapshot
  | BulkheadSnapshot
  | TimeoutSnapshot
  | RetrySnapshot
  | PipelineSnapshot;
