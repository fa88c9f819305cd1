import { blindSpot, type BlindSpot } from '@starr/kernel';
import { quoteQualified } from '../quote-identifier.ts';
import type { MissingIndex } from './missing-index.ts';

/** What would raise the level of the evidence, where there is some. */
export function deniedPlans(missing: readonly MissingIndex[], ourRole: string): BlindSpot[] {
  return missing
    .filter(({ whyNoPlan }) => whyNoPlan?.includes('may not read') === true)
    .map(({ table }) => {
      return blindSpot(
        'denied',
        `${ourRole} may not read ${table.schema}.${table.name}: the evidence is the text of the statement, not its plan`,
        `GRANT SELECT ON ${quoteQualified(table.schema, table.name)} TO ${ourRole};`,
      );
    });
}

/** HypoPG is there and could not tell: the evidence is one level lower. */
export function unknownUse(missing: readonly MissingIndex[]): BlindSpot[] {
  return missing.flatMap(({ table, evidence, unknown }) => {
    if (unknown === undefined || evidence === 'HypoPG') return [];
    const detail = `whether the planner would use the index on ${table.schema}.${table.name} is not known: ${unknown.detail}; the evidence is the ${evidence}`;
    return [blindSpot(unknown.why, detail, unknown.cure)];
  });
}

/** The level, and with HypoPG what it found. */
export function evidenceText({ evidence, cost }: MissingIndex): string {
  if (cost === undefined) return evidence;
  const [before, after] = [cost.before, cost.after].map((each) => each.toFixed(0));
  return `HypoPG: the planner would use it, cost ${before} → ${after}`;
}
