import { DoctorError, type AnyDiagnostic, type ExamineRequest } from '@starr/kernel';
import type { HostedTarget } from './hosted-target.ts';

const WINDOW_MS = { least: 1000, most: 24 * 3_600_000 };
const BUDGET_MS = { least: 100, most: 60_000 };

function invalid(field: string, received: unknown, allowed: string): DoctorError {
  const shown = String(received).slice(0, 100);
  return new DoctorError('WIRE_INVALID', {
    message: `${field} is ${JSON.stringify(shown)}; allowed: ${allowed}`,
    details: { field, received: shown, allowed },
  });
}

function checkRange(
  field: string,
  value: number,
  { least, most }: { least: number; most: number },
): void {
  if (!(value >= least && value <= most))
    throw invalid(field, value, `${least} to ${most} milliseconds`);
}

/** Refuses what nobody can mean; the error names the field, the value and what is allowed. */
export function checkExamineRequest(
  request: ExamineRequest,
  diagnostics: readonly AnyDiagnostic[],
  targets: readonly HostedTarget[],
): void {
  checkRange('window', request.windowMs, WINDOW_MS);
  checkRange('budget', request.budgetMs, BUDGET_MS);
  const ids = diagnostics.map(({ id }) => id);
  const names = targets.map(({ name }) => name);
  for (const id of request.diagnostics ?? [])
    if (!ids.includes(id)) throw invalid('diagnostics', id, list(ids));
  for (const name of request.targets ?? [])
    if (!names.includes(name)) throw invalid('targets', name, list(names));
  for (const [id, values] of Object.entries(request.thresholds ?? {}))
    checkThresholds(id, values, diagnostics);
}

export function checkThresholds(
  id: string,
  values: Readonly<Record<string, number>>,
  diagnostics: readonly AnyDiagnostic[],
): void {
  const diagnostic = diagnostics.find((each) => each.id === id);
  if (!diagnostic)
    throw invalid('thresholds.diagnostic', id, list(diagnostics.map((each) => each.id)));
  const known = Object.keys(thresholdsOf(diagnostic));
  for (const [name, value] of Object.entries(values)) {
    if (!known.includes(name)) throw invalid(`thresholds.${id}`, name, list(known));
    if (!Number.isFinite(value) || value < 0)
      throw invalid(`thresholds.${id}.${name}`, value, 'a finite number, 0 or more');
  }
}

export function thresholdsOf(
  diagnostic: AnyDiagnostic,
): Readonly<Record<string, { readonly value: number }>> {
  return diagnostic.thresholds as Readonly<Record<string, { readonly value: number }>>;
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'none is configured' : names.slice(0, 40).join(', ');
}
