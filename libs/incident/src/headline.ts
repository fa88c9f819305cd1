import type { CauseAnswer } from './answer.ts';
import { explainedBy, type Cause } from './cause.ts';
import type { CatalogIndex } from './check-playbook.ts';
import type { Evidence } from './evidence.ts';
import { measurementText } from './measurement-text.ts';

/** The one sentence that a person reads first. */
export function headlineOf(
  evidence: Evidence,
  causes: readonly CauseAnswer[],
  possible: readonly CauseAnswer[],
): string {
  const [cause] = causes;
  if (cause !== undefined) return ended(cause.says);
  const count = evidence.findings.length;
  if (count > 0) {
    const worst = evidence.findings.find(({ severity }) => severity === 'critical');
    const [maybe] = possible;
    const says = (worst ?? evidence.findings[0])?.says ?? '';
    return maybe === undefined
      ? `${ended(says)} No cause recognised.`
      : `${ended(says)} Possibly: ${ended(maybe.says)}`;
  }
  const unseen = evidence.blind.filter(({ isPartial }) => !isPartial).length;
  if (unseen > 0) return `Nothing found, but ${unseen} could not be looked at.`;
  return evidence.checks.length === 0 ? 'Nothing was asked for.' : 'Nothing found.';
}

/** The measurement that its playbook calls urgent, where one of the explained findings has it. */
export function urgentOf(
  cause: Cause | undefined,
  evidence: Evidence,
  catalog: CatalogIndex,
): string | undefined {
  const urgent = cause?.match.playbook.urgent;
  if (cause?.standing !== 'grounded' || urgent === undefined) return undefined;
  const explained = new Set(explainedBy(cause).map(({ id }) => id));
  const values = evidence.findings
    .filter(({ id, diagnostic }) => explained.has(id) && diagnostic === urgent.diagnostic)
    .flatMap(({ measured }) => measured.filter(({ name }) => name === urgent.shows))
    .map(({ value }) => value);
  if (values.length === 0) return undefined;
  const least = Math.min(...values);
  // "Full in 0 ms" is no sentence: it has come to pass.
  if (least <= 0 && urgent.atZero !== undefined) return urgent.atZero;
  const unit = catalog.diagnostics.get(urgent.diagnostic)?.measures[urgent.shows]?.unit;
  return `${urgent.says} ~${measurementText(least, unit)}`;
}

function ended(sentence: string): string {
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}
