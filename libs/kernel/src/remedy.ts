import type { ZodType } from 'zod';
import type { Entity } from './entity.ts';
import type { Json } from './json.ts';
import type { Measurement } from './measurement.ts';
import type { Look, Reads, Seen } from './read.ts';

/** One guarded act. `act` is plain data that the adapter knows; everything that guards it is inside. */
export interface Operation<O> {
  readonly act: O;
  /** What the approver reads. */
  readonly says: string;
  /** The native command for a person, when all else fails. */
  readonly byHand: string;
  readonly reversible: boolean;
  readonly onRefused: 'stop' | 'continue';
  readonly onFailed: 'stop' | 'continue';
  /**
   * Lasts for minutes or hours, apart from what is urgent: while it does, other plans may act on the target, though no
   * second long one. Absent: no; then it acts alone.
   */
  readonly isLong?: boolean;
}

/** The measurement that must move, registered before the act. Exactly one of `below` and `above`. */
export interface Effect {
  readonly diagnostic: string;
  readonly about: Entity;
  readonly measurement: string;
  readonly below?: number;
  readonly above?: number;
  /** Not judged before this has passed since the last act. */
  readonly settleMs: number;
  /** Must then hold for so long without a miss. */
  readonly holdMs: number;
  /** Missed when not established by then, counted from the last act. */
  readonly withinMs: number;
  readonly onMiss: 'ask' | 'undo-if-worse';
}

export interface Plan<O> {
  readonly operations: readonly Operation<O>[];
  readonly effect: Effect;
  /** Blast radius in numbers: sessions ended, pods replaced. */
  readonly touches: readonly Measurement[];
  readonly warnings: readonly string[];
}

export interface PlanRefused {
  readonly refused: string;
}

/** What a doctor did, with old values; sealed by the host before it leaves the doctor. */
export interface Receipt {
  readonly operationId: string;
  readonly remedy: string;
  readonly target: string;
  readonly act: Json;
  readonly before: Json;
  readonly after: Json;
  readonly appliedAt: Date;
}

/** Parameters + fresh pre-state → plan. Pure. */
export interface Remedy<P = unknown, R extends Reads = Reads, O = unknown> {
  readonly id: string;
  readonly title: string;
  readonly explains: string;
  readonly params: ZodType<P>;
  readonly reads: R;
  plan(params: P, seen: Seen<R>, look: Look): Plan<O> | PlanRefused;
  /** Absent: irreversible. */
  undo?(receipts: readonly Receipt[], seen: Seen<R>, look: Look): Plan<O> | PlanRefused;
}

export function defineRemedy<P, R extends Reads, O>(remedy: Remedy<P, R, O>): Remedy<P, R, O> {
  return remedy;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- one catalog holds remedies of all shapes; O stays checked against the adapter
export type AnyRemedy<Q = unknown, O = unknown> = Remedy<any, Reads<Q>, O>;
