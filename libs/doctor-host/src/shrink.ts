import { blindSpot, type CheckResult, type Finding, type Verdict } from '@starr/kernel';

/** Bounds of one result, far under 256 KiB with rows of ordinary size. */
const MOST_FINDINGS = 50;
const MOST_ROWS = 20;
const MOST_RELATIONS = 1000;
const MOST_MEASURED = 300;
const MOST_CHANGES = 50;
const MOST_TEXT = 2000;
const MOST_INVOLVED = 200;

/** Keeps a result within its size; what is left out is said with totals, never dropped in silence. */
export function shrink(result: CheckResult): CheckResult {
  const omitted: string[] = [];
  const most = <T>(what: string, list: readonly T[] | undefined, limit: number): readonly T[] => {
    const all = list ?? [];
    if (all.length > limit) omitted.push(`${all.length - limit} of ${all.length} ${what}`);
    return all.slice(0, limit);
  };
  const findings = most('findings', result.verdict.findings, MOST_FINDINGS).map((finding) =>
    shrinkFinding(finding, most),
  );
  const verdict: Verdict = {
    measured: most('measurements', result.verdict.measured, MOST_MEASURED),
    findings,
    changes: most('changes', result.verdict.changes, MOST_CHANGES),
    blind: result.verdict.blind ?? [],
  };
  const relations = most('relations', result.relations, MOST_RELATIONS);
  if (omitted.length === 0) return { ...result, verdict, relations };
  const spot = blindSpot('truncated', `left out to bound the answer: ${omitted.join(', ')}`);
  return { ...result, verdict: { ...verdict, blind: [...(verdict.blind ?? []), spot] }, relations };
}

type Most = <T>(what: string, list: readonly T[] | undefined, limit: number) => readonly T[];

function shrinkFinding(finding: Finding, most: Most): Finding {
  const rows = most('rows', finding.rows, MOST_ROWS).map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([column, value]) => [
        column,
        typeof value === 'string' ? value.slice(0, MOST_TEXT) : value,
      ]),
    ),
  );
  return {
    ...finding,
    says: finding.says.slice(0, MOST_TEXT),
    ...(finding.rows && { rows }),
    ...(finding.involves && {
      involves: most('involved entities', finding.involves, MOST_INVOLVED),
    }),
  };
}
