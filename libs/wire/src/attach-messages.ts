import type { BreakerSnapshot, BreakerState, PolicySnapshot } from '@starr/policies';

/** Who an attached process is. */
export interface ProcessIdentity {
  /** The service that it is of: the same name in all its processes. */
  readonly service: string;
  /** Unique for this life of the process. */
  readonly instance: string;
  readonly version?: string;
  readonly pid: number;
  readonly startedAt?: Date;
  /** Absent: it runs in none, or does not tell. */
  readonly pod?: { readonly namespace?: string; readonly name?: string; readonly ip?: string };
}

/** What all policies of a process show at one moment. */
export interface ProcessReport {
  /** By the process's clock. */
  readonly takenAt: Date;
  readonly policies: readonly PolicySnapshot[];
  /** Policies that came but could not be read: of a kind or in a state that this version does not know. */
  readonly unreadable: number;
  /** The command that asked for it; absent: nobody. */
  readonly answers?: string;
}

export type ProcessCommand =
  | { readonly kind: 'report-now' }
  | {
      readonly kind: 'reset-breaker';
      readonly breaker: string;
      /** What was seen; the reset is refused when the breaker has moved on. */
      readonly epoch: number;
      readonly state: BreakerState;
    }
  | { readonly kind: 'recall'; readonly commandId: string };

/** How a command ended in one process. */
export type CommandEnd =
  | { readonly kind: 'done'; readonly before: BreakerSnapshot; readonly after: BreakerSnapshot }
  | { readonly kind: 'refused'; readonly now: BreakerSnapshot }
  | { readonly kind: 'not-done'; readonly says: string };

/** From a process. */
export type ProcessMessage =
  | { readonly kind: 'hello'; readonly identity: ProcessIdentity }
  | { readonly kind: 'report'; readonly report: ProcessReport }
  | { readonly kind: 'acknowledgement'; readonly commandId: string; readonly end: CommandEnd }
  /** It leaves on purpose. */
  | { readonly kind: 'goodbye' };

/** To a process. A command of an unknown kind is absent: it is to be acknowledged as not done. */
export type ServiceMessage =
  | { readonly kind: 'welcome'; readonly reportIntervalMs: number }
  | { readonly kind: 'command'; readonly id: string; readonly command: ProcessCommand | undefined };

/** An attached process as the service shows it. */
export interface ShownProcess {
  readonly identity: ProcessIdentity;
  readonly peerAddress?: string;
  readonly attachedAt: Date;
  readonly report?: ProcessReport;
  readonly reportedAt?: Date;
}
