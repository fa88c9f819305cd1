import { viewAgainst } from './against.ts';
import { explainedBy, weigh, type Cause, type Standing } from './cause.ts';
import type { Evidence, EvidenceItem, FindingItem } from './evidence.ts';
import { compareText, hubsOf, isHub, type EntityGraph } from './graph.ts';
import { relate } from './link.ts';
import type { Match } from './match.ts';

/** Onsets are read from buckets and samples: a consequence may seem older than its cause by so much. */
const ONSET_SLACK_MS = 120_000;

/**
 * Weighs matches into causes, best first: grounded before the rest, then by severity explained less what speaks
 * against, then the one that binds more. What only repeats a better cause is not a second one.
 */
export function rankCauses(
  matches: readonly Match[],
  evidence: Evidence,
  graph: EntityGraph,
): readonly Cause[] {
  const causes = matches
    .map((match) => weighMatch(match, evidence, graph))
    .filter((cause) => explainedBy(cause).length > 0)
    .sort(compareCauses);
  return subsume(contestedLast(withoutGenerals(causes)));
}

function weighMatch(match: Match, evidence: Evidence, graph: EntityGraph): Cause {
  const bound = match.clauses.flatMap((clause) => (clause.state === 'found' ? clause.item : []));
  const hubs = new Set(bound.flatMap(({ about }) => [...hubsOf(graph, about)]));
  const onset = onsetOf(bound);
  const consequences = consequencesOf(match, bound, { evidence, graph, hubs, onset });
  const context = { evidence, graph, bound, hubs };
  const against = match.playbook.against.map((entry) => viewAgainst(entry, context));
  const contrary = against.flatMap((view) => (view.state === 'found' ? view.findings : []));
  const findings = [...bound.filter((item) => item.kind === 'finding'), ...consequences];
  const score = weigh(findings) - weigh(contrary);
  const { standing, doubts } = standingOf(match, score);
  return {
    match,
    standing,
    doubts,
    bound,
    consequences,
    against,
    score,
    generalises: [],
    ...(onset !== undefined && { onset }),
  };
}

interface ConsequenceContext {
  readonly evidence: Evidence;
  readonly graph: EntityGraph;
  readonly hubs: ReadonlySet<string>;
  readonly onset: Date | undefined;
}

/**
 * Findings that the playbook expects, that are not older, and to which a path leads. Where one of them says that a hub
 * itself is ill (its slots are full), what stands directly before that hub follows too, from wherever it comes, and so
 * does what hangs together with that: a pool that gets no connection, and the service whose pool it is.
 */
function consequencesOf(
  match: Match,
  bound: readonly EvidenceItem[],
  { evidence, graph, hubs, onset }: ConsequenceContext,
): readonly FindingItem[] {
  const expected = evidence.findings.filter(
    (finding) =>
      match.playbook.explains.includes(finding.diagnostic) &&
      !bound.some(({ id }) => id === finding.id) &&
      isNotOlder(finding, onset),
  );
  const linked = new Set(
    expected.filter((finding) =>
      bound.some((item) => relate(graph, item, finding, { hubs }).state === 'linked'),
    ),
  );
  const ill = [...bound.filter((item) => item.kind === 'finding'), ...linked]
    .filter(({ about }) => isHub(graph, about))
    .map(({ about }) => graph.idOf(about));
  const starved = expected.filter((finding) =>
    ill.some((hub) => hubsOf(graph, finding.about).has(hub)),
  );
  return expected.filter(
    (finding) =>
      linked.has(finding) ||
      starved.includes(finding) ||
      starved.some((item) => relate(graph, item, finding, { hubs }).state === 'linked'),
  );
}

function standingOf(
  match: Match,
  score: number,
): { readonly standing: Standing; readonly doubts: readonly string[] } {
  const blind = match.clauses.flatMap((clause) => (clause.state === 'blind' ? clause : []));
  const untied = match.clauses
    .slice(1)
    .filter(({ clause }) => clause.reachedFrom === undefined)
    .map(({ clause }) => `nothing ties ${clause.name} to the rest`);
  const doubts = [
    ...blind.flatMap(({ lines }) =>
      lines.map(
        ({ diagnostic, target, spot }) =>
          `could not look: ${diagnostic} on ${target} (${spot.why})`,
      ),
    ),
    ...match.doubts,
    ...untied,
    ...(score <= 0 ? ['as much speaks against it as it explains'] : []),
  ];
  if (blind.length > 0 || score <= 0) return { standing: 'possible', doubts };
  return { standing: doubts.length > 0 ? 'ungrounded' : 'grounded', doubts };
}

/** A finding that is older than its cause has another one. */
function isNotOlder(finding: FindingItem, onset: Date | undefined): boolean {
  if (finding.at === undefined || onset === undefined) return true;
  return finding.at.getTime() >= onset.getTime() - ONSET_SLACK_MS;
}

function onsetOf(bound: readonly EvidenceItem[]): Date | undefined {
  const times = bound.flatMap(({ at }) => at?.getTime() ?? []);
  return times.length === 0 ? undefined : new Date(Math.min(...times));
}

const ORDER: Readonly<Record<Standing, number>> = { grounded: 0, ungrounded: 1, possible: 2 };

function compareCauses(a: Cause, b: Cause): number {
  return (
    ORDER[a.standing] - ORDER[b.standing] ||
    b.score - a.score ||
    b.bound.length - a.bound.length ||
    pathLength(a) - pathLength(b) ||
    (a.onset?.getTime() ?? Number.MAX_SAFE_INTEGER) -
      (b.onset?.getTime() ?? Number.MAX_SAFE_INTEGER) ||
    compareText(keyOf(a), keyOf(b))
  );
}

function pathLength({ match }: Cause): number {
  return match.clauses.reduce(
    (sum, clause) => sum + (clause.state === 'found' ? (clause.path?.layers.length ?? 0) : 0),
    0,
  );
}

function keyOf({ match, bound }: Cause): string {
  return [match.playbook.id, ...bound.map(({ id }) => id)].join('\n');
}

/** The more specific match before the general one: a cause whose bindings another one has too says less of the same. */
function withoutGenerals(causes: readonly Cause[]): readonly Cause[] {
  const isMoreSpecific = (specific: Cause, general: Cause) =>
    ORDER[specific.standing] <= ORDER[general.standing] &&
    !isBlindInWhole(general) &&
    specific.bound.length > general.bound.length &&
    general.bound.every(({ id }) => specific.bound.some((item) => item.id === id));
  return causes
    .filter((cause) => !causes.some((other) => isMoreSpecific(other, cause)))
    .map((cause) => ({
      ...cause,
      generalises: [
        ...new Set(
          causes
            .filter((other) => isMoreSpecific(cause, other))
            .map(({ match }) => match.playbook.id),
        ),
      ],
    }));
}

/** More possibilities than this help nobody. */
const MAX_POSSIBLE = 5;

/**
 * A cause that would be a mere consequence if an undecided path could be seen (errors since a rollout, beside a leak
 * that may be of the same rollout) stands behind those that hold in either case.
 */
function contestedLast(causes: readonly Cause[]): readonly Cause[] {
  const undecided = causes.filter(({ standing }) => standing === 'ungrounded');
  const isContested = (cause: Cause) =>
    cause.standing === 'grounded' &&
    undecided.some(
      (other) =>
        other.score >= cause.score &&
        cause.bound.some((item) => has(other.consequences, item)) &&
        cause.bound.every((item) => has(other.bound, item) || has(other.consequences, item)),
    );
  return [
    ...causes.filter((cause) => cause.standing === 'grounded' && !isContested(cause)),
    ...causes.filter(isContested),
    ...causes.filter(({ standing }) => standing !== 'grounded'),
  ];
}

/** What follows from a better cause is no cause of its own, and a possibility must add something. */
function subsume(causes: readonly Cause[]): readonly Cause[] {
  const kept: Cause[] = [];
  for (const cause of causes) {
    if (kept.some((better) => followsFrom(cause, better)) || addsNothing(cause, kept)) continue;
    kept.push(cause);
  }
  const grounded = kept.filter(({ standing }) => standing === 'grounded');
  return kept.slice(0, grounded.length + MAX_POSSIBLE);
}

function followsFrom(cause: Cause, better: Cause): boolean {
  const parts = cause.bound.filter((item) => item.kind !== 'healthy');
  // What nobody could look at may be what makes the better cause a more specific one: that is said.
  if (isBlindInWhole(cause) && better.standing === 'grounded')
    return parts.every((item) => has(better.consequences, item));
  return parts.every((item) => has(better.bound, item) || has(better.consequences, item));
}

/**
 * Where a check saw in part only, every change could have done what it did not see. Without a finding of its own such
 * a possibility must explain what nothing else does, or be what a better cause would be if more could be seen.
 */
function addsNothing(cause: Cause, kept: readonly Cause[]): boolean {
  if (cause.bound.some(({ kind }) => kind === 'finding')) return false;
  const grounded = kept.filter(({ standing }) => standing === 'grounded');
  const isMore = grounded.some((better) => cause.bound.every((item) => has(better.bound, item)));
  if (isMore && isBlindInWhole(cause)) return false;
  const explained = grounded.flatMap(explainedBy);
  return cause.consequences.every((item) => has(explained, item));
}

function has(items: readonly EvidenceItem[], { id }: EvidenceItem): boolean {
  return items.some((one) => one.id === id);
}

function isBlindInWhole({ match }: Cause): boolean {
  return match.clauses.some(
    (clause) => clause.state === 'blind' && clause.lines.some(({ isPartial }) => !isPartial),
  );
}
