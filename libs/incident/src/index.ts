/**
 * Evidence → causes: the entity graph, the matcher, the answer and its texts. Pure.
 *
 * For those who run sweeps: playbooks, catalogs, answers.
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
export { answerFromJson, answerToJson } from './answer-json.ts';
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
export type { Standing } from './cause.ts';
export type { Acceptance, UnseenDoctor } from './evidence.ts';

/* For those who look closer: the graph and its paths. */
export { createGraph, type EntityGraph, type GraphEdge, type GraphNode } from './graph.ts';
export { searchPaths, type PathSearchOptions } from './search-paths.ts';
export { ownAddresses, type OwnAddresses } from './path-ends.ts';
export { pathEndText, pathText, type Path, type PathEnd } from './path.ts';
