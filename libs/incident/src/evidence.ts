import {
  blindSpot,
  canonicalJson,
  entityKey,
  statusOf,
  textOfValue,
  type BlindSpot,
  type Change,
  type CheckResult,
  type Entity,
  type Finding,
  type Measurement,
  type Relation,
  type Row,
  type Severity,
} from '@starr/kernel';
import { prefixOf } from './id-prefix.ts';
import { compareText } from './graph.ts';

interface ItemBase {
  /** Unique in a sweep and equal for equal evidence. */
  readonly id: string;
  readonly diagnostic: string;
  readonly target: string;
  readonly about: Entity;
  readonly involves: readonly Entity[];
  /** Onset or moment, in our clock. Absent: unknown. */
  readonly at?: Date;
  readonly says: string;
  readonly measured: readonly Measurement[];
}

export interface FindingItem extends ItemBase {
  readonly kind: 'finding';
  readonly severity: Severity;
  readonly rows: readonly Row[];
}

interface ChangeItem extends ItemBase {
  readonly kind: 'change';
  readonly at: Date;
  readonly facts: Row;
}

/** A thing that a check measured and found nothing bad about. */
interface HealthyItem extends ItemBase {
  readonly kind: 'healthy';
}

/** What a clause can bind. */
export type EvidenceItem = FindingItem | ChangeItem | HealthyItem;

/** `starr accept`: a known state that is shown, but explains and alarms nobody. */
export interface Acceptance {
  readonly diagnostic: string;
  readonly target: string;
  readonly until: Date;
  readonly reason: string;
  readonly acceptedBy: string;
}

interface AcceptedFinding {
  readonly finding: FindingItem;
  readonly acceptance: Acceptance;
}

/** A blind spot and whose it is. */
export interface BlindLine {
  readonly diagnostic: string;
  readonly target: string;
  /** True: beside things that were seen. */
  readonly isPartial: boolean;
  readonly spot: BlindSpot;
}

/** Everything that one sweep brought, in one order whatever the order of arrival, all moments in our clock. */
export interface Evidence {
  readonly checks: readonly CheckResult[];
  readonly findings: readonly FindingItem[];
  readonly changes: readonly ChangeItem[];
  readonly healthy: readonly HealthyItem[];
  readonly blind: readonly BlindLine[];
  readonly accepted: readonly AcceptedFinding[];
  readonly relations: readonly Relation[];
}

/** A configured doctor that gave no results at all. */
export interface UnseenDoctor {
  readonly doctor: string;
  /** Of its ids: db, cache … */
  readonly prefixes: readonly string[];
  readonly spot: BlindSpot;
}

export interface CollectOptions {
  /** Relations of the second pass, in our clock. */
  readonly relations?: readonly Relation[];
  /** Those in force. */
  readonly acceptances?: readonly Acceptance[];
  readonly unseen?: readonly UnseenDoctor[];
}

export function collectEvidence(
  results: readonly CheckResult[],
  { relations = [], acceptances = [], unseen = [] }: CollectOptions = {},
): Evidence {
  const checks = [...results].sort((a, b) => compareText(checkKey(a), checkKey(b)));
  const found = identify(checks.flatMap(findingsOf));
  const accepted = found.flatMap((finding) => {
    const acceptance = acceptances.find((one) => accepts(one, finding));
    return acceptance === undefined ? [] : [{ finding, acceptance }];
  });
  const silenced = new Set(accepted.map(({ finding }) => finding.id));
  return {
    checks,
    findings: found.filter(({ id }) => !silenced.has(id)),
    changes: identify(checks.flatMap(changesOf)),
    healthy: identify(checks.flatMap(healthyOf)),
    blind: [...checks.flatMap(blindOf), ...unseen.flatMap(blindOfDoctor)].sort((a, b) =>
      compareText(blindKey(a), blindKey(b)),
    ),
    accepted,
    relations: [...checks.flatMap(relationsOf), ...relations],
  };
}

/** The moment in our clock, as far as the difference is known. */
function inOurClock(moment: Date, check: Pick<CheckResult, 'clockSkewMs'>): Date {
  return new Date(moment.getTime() - (check.clockSkewMs ?? 0));
}

function accepts(acceptance: Acceptance, finding: FindingItem): boolean {
  return acceptance.diagnostic === finding.diagnostic && acceptance.target === finding.target;
}

function findingsOf(check: CheckResult): readonly FindingItem[] {
  return (check.verdict.findings ?? []).map((finding: Finding) => ({
    kind: 'finding',
    id: '',
    diagnostic: check.diagnostic,
    target: check.target,
    about: finding.about,
    involves: sortEntities(finding.involves ?? []),
    says: finding.says,
    measured: finding.measured,
    severity: finding.severity,
    rows: finding.rows ?? [],
    ...(finding.since !== undefined && { at: inOurClock(finding.since, check) }),
  }));
}

function changesOf(check: CheckResult): readonly ChangeItem[] {
  return (check.verdict.changes ?? []).map((change: Change) => ({
    kind: 'change',
    id: '',
    diagnostic: check.diagnostic,
    target: check.target,
    about: change.about,
    involves: [],
    says: change.says,
    measured: [],
    at: inOurClock(change.at, check),
    facts: change.facts ?? {},
  }));
}

function healthyOf(check: CheckResult): readonly HealthyItem[] {
  const sick = new Set((check.verdict.findings ?? []).map(({ about }) => entityKey(about)));
  const groups = new Map<string, Measurement[]>();
  for (const measurement of check.verdict.measured) {
    const key = entityKey(measurement.about);
    if (!sick.has(key)) groups.set(key, [...(groups.get(key) ?? []), measurement]);
  }
  return [...groups.values()].flatMap((measured) => {
    const [first] = measured;
    if (first === undefined) return [];
    return {
      kind: 'healthy' as const,
      id: '',
      diagnostic: check.diagnostic,
      target: check.target,
      about: first.about,
      involves: [],
      says: measured.map(({ name, value }) => `${name} ${value}`).join(', '),
      measured,
    };
  });
}

function blindOf(check: CheckResult): readonly BlindLine[] {
  const isPartial = statusOf(check.verdict) !== 'blind';
  const { blind = [] } = check.verdict;
  const spots = blind.length === 0 && !isPartial ? [UNTOLD] : blind;
  return spots.map((spot) => ({
    diagnostic: check.diagnostic,
    target: check.target,
    isPartial,
    spot,
  }));
}

/** A check that measured nothing has seen nothing, also when it gives no reason. */
const UNTOLD = blindSpot('unsupported', 'the check measured nothing and gave no reason');

function blindOfDoctor({ doctor, prefixes, spot }: UnseenDoctor): readonly BlindLine[] {
  return prefixes.map((prefix) => ({
    diagnostic: `${prefixOf(prefix)}.*`,
    target: doctor,
    isPartial: false,
    spot,
  }));
}

function blindKey({ diagnostic, target, spot }: BlindLine): string {
  return [diagnostic, target, spot.why, spot.detail, spot.cure ?? ''].join('\n');
}

function relationsOf(check: CheckResult): readonly Relation[] {
  return check.relations.map((relation) => ({
    from: relation.from,
    is: relation.is,
    to: relation.to,
    ...(relation.since !== undefined && { since: inOurClock(relation.since, check) }),
    ...(relation.until !== undefined && { until: inOurClock(relation.until, check) }),
  }));
}

/** Sorts, and numbers those that speak of the same thing, so that ids do not depend on arrival. */
function identify<T extends EvidenceItem>(items: readonly T[]): readonly T[] {
  const sorted = [...items].sort((a, b) => compareText(itemKey(a), itemKey(b)));
  const counts = new Map<string, number>();
  return sorted.map((item) => {
    const name = `${item.diagnostic}@${item.target} ${entityKey(item.about)}`;
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return { ...item, id: count === 1 ? name : `${name} ${count}` };
  });
}

function itemKey(item: EvidenceItem): string {
  return [
    item.diagnostic,
    item.target,
    entityKey(item.about),
    item.kind === 'finding' ? item.severity : '',
    item.at?.toISOString() ?? '',
    item.says,
    ...item.involves.map(entityKey),
    ...item.measured.map(({ name, value, about }) => `${name} ${value} ${entityKey(about)}`),
    item.kind === 'change' ? rowText(item.facts) : '',
    item.kind === 'finding' ? item.rows.map(rowText).join('\n') : '',
  ].join('\n');
}

function rowText(row: Row): string {
  return canonicalJson(
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, textOfValue(value)])),
  );
}

function checkKey(check: CheckResult): string {
  return [
    check.diagnostic,
    check.target,
    check.observedFrom.toISOString(),
    check.observedTo.toISOString(),
  ].join('\n');
}

function sortEntities(entities: readonly Entity[]): readonly Entity[] {
  return [...entities].sort((a, b) => compareText(entityKey(a), entityKey(b)));
}
