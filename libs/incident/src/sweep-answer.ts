import {
  isPartial,
  statusOf,
  type CheckResult,
  type Entity,
  type Footprint,
  type Relation,
} from '@starr/kernel';
import type {
  Answer,
  BlindAnswer,
  CauseAnswer,
  CheckLine,
  DormantPlaybook,
  FindingLine,
  TargetCost,
} from './answer.ts';
import { answerCause, worst, type AnswerContext } from './cause-answer.ts';
import { explainedBy, type Cause } from './cause.ts';
import { checkPlaybook, type CatalogIndex } from './check-playbook.ts';
import {
  collectEvidence,
  type Acceptance,
  type BlindLine,
  type Evidence,
  type FindingItem,
  type UnseenDoctor,
} from './evidence.ts';
import { compareText, createGraph, type EntityGraph } from './graph.ts';
import { headlineOf, urgentOf } from './headline.ts';
import { matchPlaybook, type Match } from './match.ts';
import type { Playbook } from './playbook.ts';
import { rankCauses } from './rank.ts';

export interface SweepInput {
  readonly environment: string;
  readonly startedAt: Date;
  readonly endedAt: Date;
  /** In any order. */
  readonly results: readonly CheckResult[];
  /** What the second pass (ResolveEntities) brought, in our clock. Default: none. */
  readonly relations?: readonly Relation[];
  /** Configured doctors that gave no results. Default: none. */
  readonly unseen?: readonly UnseenDoctor[];
  /** Accepted states in force. Default: none. */
  readonly acceptances?: readonly Acceptance[];
  readonly playbooks: readonly Playbook[];
  readonly catalog: CatalogIndex;
}

/** Rows of evidence of one finding in an answer; the sweep's evidence has all. */
const MAX_ROWS = 10;

/** All that a sweep has seen → its answer. Pure, and blind to the order in which anything arrived. */
export function answerSweep(input: SweepInput): Answer {
  const evidence = collectEvidence(input.results, input);
  const graph = createGraph(evidence.relations, observedIn(evidence));
  const { matches, dormant } = matchAll(input, evidence, graph);
  const ranked = rankCauses(matches, evidence, graph);
  const context: AnswerContext = { evidence, graph, catalog: input.catalog };
  const answers = answerAll(ranked, context);
  const causes = answers.filter(({ standing }) => standing === 'grounded');
  const possible = answers.filter(({ standing }) => standing !== 'grounded');
  const historySince = historyOf(input.results);
  const urgent = urgentOf(ranked[0], evidence, input.catalog);
  return {
    environment: input.environment,
    startedAt: input.startedAt,
    endedAt: input.endedAt,
    ...(historySince !== undefined && { historySince }),
    severity:
      evidence.findings.length === 0
        ? 'none'
        : worst(evidence.findings.map(({ severity }) => severity)),
    headline: headlineOf(evidence, causes, possible),
    ...(urgent !== undefined && { urgent }),
    causes,
    possible,
    findings: evidence.findings.map(findingLine),
    unexplained: unexplainedBy(ranked, evidence),
    accepted: evidence.accepted.map(({ finding, acceptance }) => ({
      finding: findingLine(finding),
      reason: acceptance.reason,
      until: acceptance.until,
      acceptedBy: acceptance.acceptedBy,
    })),
    blind: evidence.blind.map(blindAnswer),
    checks: evidence.checks.map(checkLine),
    dormant,
    cost: costOf(evidence.checks),
  };
}

function observedIn({ findings, changes, healthy }: Evidence): readonly Entity[] {
  return [...findings, ...changes, ...healthy].map(({ about }) => about);
}

function matchAll(
  input: SweepInput,
  evidence: Evidence,
  graph: EntityGraph,
): { readonly matches: readonly Match[]; readonly dormant: readonly DormantPlaybook[] } {
  const matches: Match[] = [];
  const dormant: DormantPlaybook[] = [];
  const sorted = [...input.playbooks].sort((a, b) => compareText(a.id, b.id));
  for (const playbook of sorted) {
    const state = checkPlaybook(playbook, input.catalog);
    if (state.state === 'dormant') dormant.push({ playbook: playbook.id, says: state.says });
    if (state.state !== 'active') continue;
    const found = matchPlaybook(playbook, evidence, graph, input.endedAt);
    if (found.state === 'matched') matches.push(...found.matches);
    else
      dormant.push({
        playbook: playbook.id,
        says: `${found.diagnostics.join(' or ')} was not asked for`,
      });
  }
  return { matches, dormant };
}

function answerAll(causes: readonly Cause[], context: AnswerContext): readonly CauseAnswer[] {
  const answers: CauseAnswer[] = [];
  let step = 1;
  for (const cause of causes) {
    const answer = answerCause(cause, answers.length + 1, step, context);
    step += answer.steps.length;
    answers.push(answer);
  }
  return answers;
}

function unexplainedBy(causes: readonly Cause[], evidence: Evidence): readonly string[] {
  const explained = new Set(
    causes
      .filter(({ standing }) => standing === 'grounded')
      .flatMap(explainedBy)
      .map(({ id }) => id),
  );
  return evidence.findings.map(({ id }) => id).filter((id) => !explained.has(id));
}

/** Only as far back as the shortest memory reaches. */
function historyOf(results: readonly CheckResult[]): Date | undefined {
  const times = results.flatMap(({ historySince }) => historySince?.getTime() ?? []);
  return times.length === 0 ? undefined : new Date(Math.max(...times));
}

function findingLine(finding: FindingItem): FindingLine {
  return {
    id: finding.id,
    diagnostic: finding.diagnostic,
    target: finding.target,
    severity: finding.severity,
    about: finding.about,
    says: finding.says,
    ...(finding.at !== undefined && { at: finding.at }),
    measured: finding.measured,
    rows: finding.rows.slice(0, MAX_ROWS),
  };
}

function blindAnswer({ diagnostic, target, isPartial: partial, spot }: BlindLine): BlindAnswer {
  return {
    diagnostic,
    target,
    isPartial: partial,
    why: spot.why,
    detail: spot.detail,
    ...(spot.cure !== undefined && { cure: spot.cure }),
  };
}

function checkLine({ diagnostic, target, verdict }: CheckResult): CheckLine {
  return {
    diagnostic,
    target,
    status: statusOf(verdict),
    isPartial: isPartial(verdict),
    measured: verdict.measured,
  };
}

function costOf(checks: readonly CheckResult[]): readonly TargetCost[] {
  const byTarget = new Map<string, Record<string, number>>();
  for (const { target, footprint } of checks) {
    const sum = byTarget.get(target) ?? {};
    for (const [what, amount] of Object.entries(footprint)) sum[what] = (sum[what] ?? 0) + amount;
    byTarget.set(target, sum);
  }
  return [...byTarget]
    .sort(([a], [b]) => compareText(a, b))
    .map(([target, footprint]): TargetCost => ({ target, footprint: sortedFootprint(footprint) }));
}

function sortedFootprint(footprint: Readonly<Record<string, number>>): Footprint {
  return Object.fromEntries(Object.entries(footprint).sort(([a], [b]) => compareText(a, b)));
}
