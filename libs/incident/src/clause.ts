import type { BlindLine, Evidence, EvidenceItem } from './evidence.ts';
import { prefixOf } from './id-prefix.ts';
import type { Bound, Clause } from './playbook.ts';

/**
 * What the checks say to a clause by itself, before anything ties it to others.
 * `blind` beside candidates: more may be hidden where its check could not look.
 */
export type ClauseView =
  | {
      readonly state: 'looked';
      readonly candidates: readonly EvidenceItem[];
      readonly blind: readonly BlindLine[];
    }
  /** No such check was asked for in this sweep. */
  | { readonly state: 'not-asked' };

export function viewClause(clause: Clause, evidence: Evidence): ClauseView {
  const blind = evidence.blind.filter((line) =>
    clause.diagnostics.some((id) => id === line.diagnostic || isOfDoctor(line, id)),
  );
  const wasAsked = evidence.checks.some((check) => clause.diagnostics.includes(check.diagnostic));
  if (!wasAsked && blind.length === 0) return { state: 'not-asked' };
  return {
    state: 'looked',
    candidates: itemsOf(clause, evidence).filter((item) => fits(clause, item)),
    blind,
  };
}

/** A doctor that did not answer leaves one line for all of its ids: `db.*`. */
function isOfDoctor(line: BlindLine, id: string): boolean {
  return line.diagnostic === `${prefixOf(id)}.*`;
}

function itemsOf(clause: Clause, evidence: Evidence): readonly EvidenceItem[] {
  switch (clause.binds) {
    case 'finding':
      return evidence.findings;
    case 'change':
      return evidence.changes;
    case 'healthy':
      return evidence.healthy;
  }
}

function fits(clause: Clause, item: EvidenceItem): boolean {
  if (!clause.diagnostics.includes(item.diagnostic)) return false;
  if (clause.about !== undefined && !clause.about.includes(item.about.kind)) return false;
  if (clause.severity === 'critical' && item.kind === 'finding' && item.severity !== 'critical')
    return false;
  return Object.entries(clause.measured ?? {}).every(([name, bound]) =>
    item.measured.some((one) => one.name === name && isWithin(one.value, bound)),
  );
}

function isWithin(value: number, { above, below }: Bound): boolean {
  return (above === undefined || value > above) && (below === undefined || value < below);
}
