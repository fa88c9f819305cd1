import type { Severity } from '@starr/kernel';

/** A pattern of a cause, as its YAML says it; read by parse-playbook.ts, form in playbook-schema.ts. */
export interface Playbook {
  readonly id: string;
  /** The cause in a line, with `{clause.field}` filled from what was bound. */
  readonly title: string;
  /** The sentence of the headline. Equal to the title when the file has none. */
  readonly says: string;
  /** In the order of the file; the first finding clause is what the cause is primarily about. */
  readonly match: readonly Clause[];
  /** Where the path of the cause leads when no clause ties it to another thing. */
  readonly path?: { readonly from: string; readonly to: readonly string[] };
  /** Diagnostics whose findings follow from the cause, where linked by the graph and not older than it. */
  readonly explains: readonly string[];
  readonly against: readonly Against[];
  /** What this cause leaves unproven by its nature; printed with it. */
  readonly unproven: readonly string[];
  readonly urgent?: Urgent;
  readonly relieve: readonly Step[];
  readonly cure: readonly Step[];
  readonly avoid: readonly Avoid[];
  readonly reflect: readonly string[];
  readonly origin: Origin;
}

/**
 * What a clause binds: a finding or a change of one of these diagnostics, or (`healthy`) a thing that such a check
 * measured and found nothing bad about.
 */
type ClauseKind = 'finding' | 'change' | 'healthy';

export interface Clause {
  readonly name: string;
  readonly binds: ClauseKind;
  /** One or several diagnostics; any of them will do. */
  readonly diagnostics: readonly string[];
  /** `critical`: only critical findings. Absent: all. */
  readonly severity?: Severity;
  /** Entity kinds that it may be about. Absent: all. */
  readonly about?: readonly string[];
  /** Bounds on measurements of the finding: it must have each, within. Absent: none. */
  readonly measured?: Readonly<Record<string, Bound>>;
  /** An earlier clause that a path must lead from. */
  readonly reachedFrom?: string;
  /** An earlier clause that this one must precede. */
  readonly before?: string;
  /** With `before`: by at most so much. Absent: any time. */
  readonly withinMs?: number;
}

export interface Bound {
  /** Strictly above. */
  readonly above?: number;
  /** Strictly below. */
  readonly below?: number;
}

export interface Against {
  readonly diagnostic: string;
  /** How an answer calls it when it is ruled out (slow queries). Absent: the diagnostic's title. */
  readonly says?: string;
  /** The measurement that shows it ruled out, by its worst value. Absent: none is shown. */
  readonly shows?: string;
  /** `linked`: counts where a path leads to it. `possible`: also where the graph cannot tell. Default: linked. */
  readonly when: 'linked' | 'possible';
}

/** A measurement that belongs into the headline (full in 20 s). */
interface Urgent {
  readonly diagnostic: string;
  readonly shows: string;
  readonly says: string;
  /** What stands there instead once the measurement is 0. Absent: the same. */
  readonly atZero?: string;
}

export interface Step {
  readonly remedy: string;
  /** The clause whose target it acts on. */
  readonly on: string;
  /** Parameter → where its value comes from. */
  readonly with: Readonly<Record<string, StepValue>>;
}

/** A reference (`leak.about.name`), or a value that stands as it is. */
export type StepValue =
  | { readonly from: 'evidence'; readonly reference: string }
  | { readonly from: 'file'; readonly value: string | number | boolean };

interface Avoid {
  readonly remedy: string;
  readonly because: string;
}

interface Origin {
  readonly file: string;
  /** Key (match.leak.finding) → where it stands. */
  readonly positions: Readonly<Record<string, Position>>;
}

/** From 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Why a playbook is not valid, in the words of a compiler. */
export interface PlaybookProblem extends Position {
  readonly file: string;
  /** match.leak.severity; empty: the file as a whole. */
  readonly key: string;
  readonly received: string;
  readonly allowed: string;
}

/** `playbooks/x.yaml:4:12: match.leak.severity: received "urgent"; allowed: warning, critical`. */
export function playbookProblemText(problem: PlaybookProblem): string {
  const key = problem.key === '' ? '' : ` ${problem.key}:`;
  return `${problem.file}:${problem.line}:${problem.column}:${key} received ${problem.received}; allowed: ${problem.allowed}`;
}
