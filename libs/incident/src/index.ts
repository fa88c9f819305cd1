/**
 * Evidence → causes: the entity graph, the matcher, the answer and its texts. Pure.
 *
 * For those who run sweeps and act: playbooks, answers, plans, effects, records, texts.
 */
export { bundledPlaybooksUrl } from './bundled-playbooks.ts';
export { parsePlaybook, type ParsedPlaybook } from './parse-playbook.ts';
export {
  catalogIndex,
  checkPlaybook,
  type CatalogIndex,
  type PlaybookState,
} from './check-playbook.ts';
export { playbookProblemText, type Playbook, type PlaybookProblem } from './playbook.ts';
export { answerSweep, type SweepInput } from './sweep-answer.ts';
export type {
  AcceptedLine,
  Answer,
  BlindAnswer,
  CauseAnswer,
  CheckLine,
  ClauseLine,
  DormantPlaybook,
  FindingLine,
  NextStep,
  TargetCost,
  TimelineEntry,
} from './answer.ts';
export { answerFromJson, answerSchema, answerToJson } from './answer-json.ts';
export type { Standing } from './cause.ts';
export type { Acceptance, UnseenDoctor } from './evidence.ts';
export { fingerprintOf, opensIncident, type Incident, type IncidentOpener } from './incident.ts';
export { nextAct, type JournalView, type NextAct } from './plan-types.ts';
export {
  effectText,
  judgeEffect,
  type EffectJudgement,
  type EffectSample,
  type EffectState,
  type EffectWatch,
  type Guard,
  type Reading,
} from './effect.ts';
export { readSample } from './read-sample.ts';
export { guardsOf } from './guards.ts';
export { reportAnswer, type ReportOptions } from './report.ts';
export type { ReportPlan } from './report-next.ts';
export type { Style, TextRole } from './text-layout.ts';
export {
  pagerDutyBody,
  slackBody,
  tenLines,
  type PagerDutyOptions,
  type TenLinesOptions,
} from './ten-lines.ts';
export { writeRecord, type RecordInput, type RecordPlan, type StarrRecord } from './record.ts';
export { recordMarkdown } from './record-markdown.ts';

/* For those who look closer: the graph and its paths. */
export { createGraph, type EntityGraph, type GraphEdge, type GraphNode } from './graph.ts';
export { searchPaths, type PathSearchOptions } from './search-paths.ts';
export { ownAddresses, type OwnAddresses } from './path-ends.ts';
export { pathEndText, pathText, type Path, type PathEnd } from './path.ts';
export { measurementText } from './measurement-text.ts';
