import type { BlindLine, Evidence, FindingItem } from './evidence.ts';
import type { EntityGraph } from './graph.ts';
import type { EvidenceItem } from './evidence.ts';
import { relate } from './link.ts';
import type { Against } from './playbook.ts';
import { prefixOf } from './id-prefix.ts';

/** What became of something that would speak against a cause. */
export type AgainstView =
  | {
      readonly state: 'found';
      readonly against: Against;
      readonly findings: readonly FindingItem[];
    }
  | { readonly state: 'ruled-out'; readonly against: Against }
  /** Found, but about something that has nothing to do with it: neither against it nor ruled out. */
  | { readonly state: 'elsewhere'; readonly against: Against }
  | { readonly state: 'blind'; readonly against: Against; readonly lines: readonly BlindLine[] }
  | { readonly state: 'not-asked'; readonly against: Against };

export interface AgainstContext {
  readonly evidence: Evidence;
  readonly graph: EntityGraph;
  readonly bound: readonly EvidenceItem[];
  readonly hubs: ReadonlySet<string>;
}

export function viewAgainst(against: Against, context: AgainstContext): AgainstView {
  const { evidence } = context;
  const boundIds = new Set(context.bound.map(({ id }) => id));
  const all = evidence.findings.filter(
    ({ diagnostic, id }) => diagnostic === against.diagnostic && !boundIds.has(id),
  );
  const findings = all.filter((finding) => speaksAgainst(against, finding, context));
  if (findings.length > 0) return { state: 'found', against, findings };
  const lines = evidence.blind.filter(
    ({ diagnostic }) =>
      diagnostic === against.diagnostic || diagnostic === `${prefixOf(against.diagnostic)}.*`,
  );
  if (lines.length > 0) return { state: 'blind', against, lines };
  if (all.length > 0) return { state: 'elsewhere', against };
  const wasAsked = evidence.checks.some(({ diagnostic }) => diagnostic === against.diagnostic);
  return { state: wasAsked ? 'ruled-out' : 'not-asked', against };
}

/** A slow query of another application on the same server does speak against a leak there: it may hold the slots. */
function speaksAgainst(against: Against, finding: FindingItem, context: AgainstContext): boolean {
  return context.bound.some((item) => {
    switch (relate(context.graph, item, finding, { hubs: context.hubs }).state) {
      case 'linked':
        return true;
      case 'unknown':
        return against.when === 'possible';
      case 'unrelated':
        return false;
    }
  });
}
