import type { Severity } from '@starr/kernel';
import type { AgainstView } from './against.ts';
import type { CauseAnswer, ClauseLine, TimelineEntry } from './answer.ts';
import { causePath } from './cause-path.ts';
import { explainedBy, type Cause } from './cause.ts';
import type { CatalogIndex } from './check-playbook.ts';
import type { Evidence, EvidenceItem } from './evidence.ts';
import { compareText, type EntityGraph } from './graph.ts';
import { itemOf, type MatchedClause } from './match.ts';
import { measurementText, measurementWords } from './measurement-text.ts';
import { nextSteps } from './next-steps.ts';
import { fillTemplate } from './reference.ts';

export interface AnswerContext {
  readonly evidence: Evidence;
  readonly graph: EntityGraph;
  readonly catalog: CatalogIndex;
}

/** `firstStep`: the number of its first next step. */
export function answerCause(
  cause: Cause,
  number: number,
  firstStep: number,
  context: AnswerContext,
): CauseAnswer {
  const { playbook, clauses } = cause.match;
  const fill = (template: string) => fillTemplate(template, (name) => itemOf(clauses, name));
  const path = causePath(cause, context.graph);
  const explained = explainedBy(cause);
  return {
    number,
    playbook: playbook.id,
    standing: cause.standing,
    title: fill(playbook.title),
    says: fill(playbook.says),
    severity: worst(explained.map(({ severity }) => severity)),
    about: primaryOf(cause).about,
    primary: primaryOf(cause).id,
    doubts: cause.doubts,
    clauses: clauses.map(clauseLine),
    explains: explained.map(({ id }) => id).sort(compareText),
    against: cause.against.flatMap((view) =>
      view.state === 'found' ? view.findings.map(({ id }) => id) : [],
    ),
    ...(cause.onset !== undefined && { onset: cause.onset }),
    timeline: timelineOf(cause, context.catalog),
    path: path.lines,
    pathLayers: path.layers,
    also: [...cause.consequences, ...cause.bound]
      .filter((item) => item.kind !== 'change' && item.at === undefined)
      .map((item) => item.says),
    ruledOut: cause.against.flatMap((view) => ruledOut(view, context)),
    unproven: [...playbook.unproven.map(fill), ...path.open, ...cause.against.flatMap(notLooked)],
    steps: nextSteps(cause, context.catalog).map((step, index) => ({
      ...step,
      number: firstStep + index,
    })),
    avoid: playbook.avoid,
    reflect: playbook.reflect,
    generalises: cause.generalises,
  };
}

/** The first finding that its clauses bound; a possible cause may have only consequences to show. */
function primaryOf(cause: Cause): EvidenceItem {
  const bound = cause.bound.find((item) => item.kind === 'finding');
  const primary = bound ?? cause.consequences[0] ?? cause.bound[0];
  if (primary === undefined) throw new TypeError('a cause without evidence was ranked');
  return primary;
}

export function worst(severities: readonly Severity[]): Severity {
  return severities.includes('critical') ? 'critical' : 'warning';
}

function clauseLine(matched: MatchedClause): ClauseLine {
  const { name, diagnostics } = matched.clause;
  switch (matched.state) {
    case 'found':
      return { name, state: 'found', diagnostics, says: matched.item.says };
    case 'blind':
      return {
        name,
        state: 'blind',
        diagnostics,
        says: matched.lines.map(({ target, spot }) => `${target}: ${spot.detail}`).join('; '),
      };
  }
}

function timelineOf(cause: Cause, catalog: CatalogIndex): readonly TimelineEntry[] {
  return [...cause.bound, ...cause.consequences]
    .flatMap((item): TimelineEntry[] => {
      if (item.at === undefined || item.kind === 'healthy') return [];
      const note = noteOf(item, catalog);
      return [
        { at: item.at, kind: item.kind, says: item.says, ...(note !== undefined && { note }) },
      ];
    })
    .sort(
      (a, b) =>
        a.at.getTime() - b.at.getTime() ||
        compareText(a.kind, b.kind) ||
        compareText(a.says, b.says),
    );
}

/** The first measurement of the finding that was held against a threshold, with it. */
function noteOf(item: EvidenceItem, catalog: CatalogIndex): string | undefined {
  const held = item.measured.find(({ limit }) => limit !== undefined);
  if (item.kind !== 'finding' || held?.limit === undefined) return undefined;
  const unit = catalog.diagnostics.get(item.diagnostic)?.measures[held.name]?.unit;
  const [value, limit] = [held.value, held.limit].map((one) => measurementText(one, unit));
  return `${measurementWords(held.name)} ${value}, limit ${limit}`;
}

function ruledOut(view: AgainstView, { evidence, catalog }: AnswerContext): readonly string[] {
  if (view.state !== 'ruled-out') return [];
  const { diagnostic, shows } = view.against;
  const known = catalog.diagnostics.get(diagnostic);
  const says = view.against.says ?? known?.title ?? diagnostic;
  const values = evidence.checks
    .filter((check) => check.diagnostic === diagnostic)
    .flatMap((check) => check.verdict.measured)
    .filter(({ name }) => name === shows)
    .map(({ value }) => value);
  if (shows === undefined || values.length === 0) return [says];
  return [`${says} (${measurementText(Math.max(...values), known?.measures[shows]?.unit)})`];
}

function notLooked(view: AgainstView): readonly string[] {
  if (view.state !== 'blind') return [];
  const says = view.against.says ?? view.against.diagnostic;
  return view.lines.map(({ target, spot }) => `${says} on ${target}: could not look (${spot.why})`);
}
