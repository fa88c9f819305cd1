import type { MeasurementSpec } from './measurement.ts';
import type { Look, Reads, Seen } from './read.ts';
import type { Verdict } from './verdict.ts';

/** A named bound with its unit and where it comes from. Values are overridable per target by name. */
export interface Threshold {
  readonly value: number;
  /** ratio, ms, bytes, count, per-minute … */
  readonly unit: string;
  readonly says: string;
  /** A document or source file, pinned where it can move. */
  readonly source: string;
}

export type Thresholds = Readonly<Record<string, Threshold>>;
/** What the judge gets: the values in force. */
export type Limits<L extends Thresholds> = { readonly [K in keyof L]: number };

/** A question with a permanent id. Pure: it asks with reads and judges what they saw. */
export interface Diagnostic<R extends Reads = Reads, L extends Thresholds = Thresholds> {
  readonly id: string;
  readonly title: string;
  /** What a person would have typed, from the guide. */
  readonly replaces: readonly string[];
  /** Two or three sentences: what it looks at, when it is a finding, what to do by hand. */
  readonly explains: string;
  readonly reads: R;
  readonly thresholds: L;
  readonly measures: Readonly<Record<string, MeasurementSpec>>;
  judge(seen: Seen<R>, limits: Limits<L>, look: Look): Verdict;
}

/** Declares a diagnostic; the types of `judge` follow from `reads` and `thresholds`. */
export function defineDiagnostic<R extends Reads, L extends Thresholds>(
  diagnostic: Diagnostic<R, L>,
): Diagnostic<R, L> {
  return diagnostic;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- one catalog holds diagnostics of all shapes; bivariance of judge keeps Q checked
export type AnyDiagnostic<Q = unknown> = Diagnostic<Reads<Q>, any>;
