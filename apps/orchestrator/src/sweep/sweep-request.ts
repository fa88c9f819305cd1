import { canonicalJson, DoctorError } from '@starr/kernel';
import { DEFAULT_BUDGET_MS, DEFAULT_WINDOW_MS, type SweepRequest } from '@starr/wire';

/** A sweep as it is run: every choice made. */
export interface SweepPlan {
  /** Sorted; empty: all. */
  readonly targets: readonly string[];
  /** Sorted; empty: all. */
  readonly diagnostics: readonly string[];
  readonly windowMs: number;
  readonly budgetMs: number;
}

const WINDOW_MS = { least: 1000, most: 24 * 3_600_000 };
const BUDGET_MS = { least: 100, most: 60_000 };
const MOST_NAMES = 200;

/** Fails with WIRE_INVALID, naming the field, the value and what is allowed. */
export function checkSweepRequest(request: SweepRequest): SweepPlan {
  return {
    targets: names('targets', request.targets ?? []),
    diagnostics: names('diagnostics', request.diagnostics ?? []),
    windowMs: inRange('window', request.windowMs ?? DEFAULT_WINDOW_MS, WINDOW_MS),
    budgetMs: inRange('budget', request.budgetMs ?? DEFAULT_BUDGET_MS, BUDGET_MS),
  };
}

/** Equal keys are the same question: one run answers both. */
export function sweepKey({ targets, diagnostics, windowMs, budgetMs }: SweepPlan): string {
  return canonicalJson({ targets, diagnostics, windowMs, budgetMs });
}

export function isWanted(chosen: readonly string[], name: string): boolean {
  return chosen.length === 0 || chosen.includes(name);
}

export function invalidField(field: string, received: unknown, allowed: string): DoctorError {
  const shown = String(received).slice(0, 100);
  return new DoctorError('WIRE_INVALID', {
    message: `${field} is ${JSON.stringify(shown)}; allowed: ${allowed}`,
    details: { field, received: shown, allowed },
  });
}

function names(field: string, values: readonly string[]): readonly string[] {
  if (values.length > MOST_NAMES)
    throw invalidField(field, `${values.length} names`, `at most ${MOST_NAMES}`);
  return [...new Set(values)].sort();
}

function inRange(field: string, value: number, range: { least: number; most: number }): number {
  if (value >= range.least && value <= range.most) return value;
  throw invalidField(field, value, `${range.least} to ${range.most} milliseconds`);
}
