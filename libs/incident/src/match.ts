import { viewClause, type ClauseView } from './clause.ts';
import type { BlindLine, Evidence, EvidenceItem } from './evidence.ts';
import type { EntityGraph } from './graph.ts';
import type { Share } from './link.ts';
import type { Path } from './path.ts';
import type { Clause, Playbook } from './playbook.ts';
import { tieCandidates } from './tie.ts';

/** A clause of a match: what it bound, or that its check could not see. */
export type MatchedClause =
  | {
      readonly state: 'found';
      readonly clause: Clause;
      readonly item: EvidenceItem;
      readonly path?: Path;
      readonly share?: Share;
    }
  | { readonly state: 'blind'; readonly clause: Clause; readonly lines: readonly BlindLine[] };

/** A playbook that no clause contradicts. The paths of its clauses are the path of the cause. */
export interface Match {
  readonly playbook: Playbook;
  /** In the order of the playbook. */
  readonly clauses: readonly MatchedClause[];
  /** Ties that could not be decided: a shared address, an unknown onset. */
  readonly doubts: readonly string[];
}

export type PlaybookMatches =
  | { readonly state: 'matched'; readonly matches: readonly Match[] }
  /** One of its checks was not asked for in this sweep. */
  | { readonly state: 'not-asked'; readonly diagnostics: readonly string[] };

/** More candidates of one clause than this are noise that a person cannot read either. */
const MAX_CANDIDATES = 64;

interface Search {
  readonly playbook: Playbook;
  readonly views: ReadonlyMap<string, ClauseView & { readonly state: 'looked' }>;
  readonly graph: EntityGraph;
  readonly now: Date;
}

interface Partial {
  readonly clauses: readonly MatchedClause[];
  readonly doubts: readonly string[];
}

/**
 * All matches of a playbook: one for each candidate of its first clause that binds something.
 * Of the other clauses the candidate with the surest, shortest and nearest tie is taken.
 */
export function matchPlaybook(
  playbook: Playbook,
  evidence: Evidence,
  graph: EntityGraph,
  now: Date,
): PlaybookMatches {
  const views = new Map<string, ClauseView & { readonly state: 'looked' }>();
  for (const clause of playbook.match) {
    const view = viewClause(clause, evidence);
    if (view.state === 'not-asked') return { state: view.state, diagnostics: clause.diagnostics };
    views.set(clause.name, view);
  }
  const search: Search = { playbook, views, graph, now };
  const matches = enumerate(search, { clauses: [], doubts: [] });
  return { state: 'matched', matches };
}

/** Until something is bound every candidate starts a match of its own; from then on the best completion counts. */
function enumerate(search: Search, partial: Partial): readonly Match[] {
  const clause = search.playbook.match[partial.clauses.length];
  if (clause === undefined) return [];
  const matches = extensions(search, clause, partial).flatMap((extended) => {
    const isBound = extended.clauses.at(-1)?.state === 'found';
    if (!isBound) return [];
    return complete(search, extended) ?? [];
  });
  const view = search.views.get(clause.name);
  if (view === undefined || view.blind.length === 0) return matches;
  return [...matches, ...enumerate(search, asBlind(partial, clause, view.blind))];
}

function complete(search: Search, partial: Partial): Match | undefined {
  const clause = search.playbook.match[partial.clauses.length];
  if (clause === undefined) {
    return { playbook: search.playbook, clauses: partial.clauses, doubts: partial.doubts };
  }
  for (const extended of extensions(search, clause, partial)) {
    const match = complete(search, extended);
    if (match !== undefined) return match;
  }
  const view = search.views.get(clause.name);
  if (view === undefined || view.blind.length === 0) return undefined;
  return complete(search, asBlind(partial, clause, view.blind));
}

function extensions(search: Search, clause: Clause, partial: Partial): readonly Partial[] {
  const candidates = search.views.get(clause.name)?.candidates ?? [];
  const tied = tieCandidates(clause, candidates.slice(0, MAX_CANDIDATES), {
    graph: search.graph,
    now: search.now,
    itemOf: (name) => itemOf(partial.clauses, name),
  });
  return tied.map(({ item, path, share, doubts }) => ({
    clauses: [
      ...partial.clauses,
      {
        state: 'found' as const,
        clause,
        item,
        ...(path !== undefined && { path }),
        ...(share !== undefined && { share }),
      },
    ],
    doubts: [...partial.doubts, ...doubts],
  }));
}

function asBlind(partial: Partial, clause: Clause, lines: readonly BlindLine[]): Partial {
  return {
    clauses: [...partial.clauses, { state: 'blind', clause, lines }],
    doubts: partial.doubts,
  };
}

export function itemOf(clauses: readonly MatchedClause[], name: string): EvidenceItem | undefined {
  const found = clauses.find(({ clause }) => clause.name === name);
  return found?.state === 'found' ? found.item : undefined;
}
