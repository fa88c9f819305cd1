/** What the diagnostics need of the policies of a process; the snapshots of @starr/policies have all of it. */
export type BreakerState = 'closed' | 'open' | 'half-open';

export interface BreakerView {
  readonly kind: 'breaker';
  readonly name: string;
  /** The dependency that it guards, by the name that the configuration uses too. */
  readonly guards: string;
  readonly state: BreakerState;
  readonly epoch: number;
  readonly stateAgeMs: number;
  /** Absent when closed. */
  readonly notClosedForMs?: number;
  readonly windowCalls: number;
  readonly windowFailures: number;
  /** Only when open; 0: the next call is a probe. */
  readonly timeUntilRetryMs?: number;
  readonly rejectedInState: number;
  readonly lastFailure?: { readonly name: string };
  /** What a person laid over it; absent: nothing, or the process does not tell. */
  readonly override?: {
    readonly kind: string;
    readonly by: string;
    readonly reason: string;
    readonly since: Date;
    readonly leaseLeftMs: number;
  };
}

export interface QueueView {
  readonly kind: 'queue';
  readonly name: string;
  readonly size: number;
  readonly maxSize: number;
  readonly activeWorkers: number;
  readonly maxWorkers: number;
  readonly processed: number;
  readonly failed: number;
  readonly timedOut: number;
  readonly rejected: number;
  readonly oldestWaitMs: number;
}

export interface PoolView {
  readonly kind: 'pool';
  readonly name: string;
  readonly connectsTo?: { readonly host: string; readonly port: number };
  readonly size: number;
  readonly idle: number;
  readonly waiting: number;
  readonly max: number;
  readonly oldestWaitMs: number;
  readonly oldestHeldMs: number;
  readonly lastMinute: {
    readonly acquired: number;
    readonly failed: number;
    readonly longestWaitMs: number;
  };
}

export type PolicyView = BreakerView | QueueView | PoolView;
