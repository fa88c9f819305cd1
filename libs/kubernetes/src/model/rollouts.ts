import type { Look } from '@starr/kernel';
import { CHANGE_CAUSE_ANNOTATION } from '../annotations.ts';
import { diffTemplates, type TemplateChange } from './template-diff.ts';
import { templateWriter, type Writer } from './template-writer.ts';
import type { Revision, Workload } from './workloads.ts';

/** A Deployment's move from one revision to another. */
export interface Rollout {
  readonly from: number;
  readonly to: number;
  readonly at: Date;
  readonly changes: readonly TemplateChange[];
  /** Absent: the revision that was left is no longer kept. */
  readonly left?: Revision;
  readonly reached: Revision;
  /** The number that the reached template had before; set when the move went back. */
  readonly returnsTo?: number;
  readonly by?: Writer;
  readonly cause?: string;
}

/** The moves within the window, oldest first. The first revision of a Deployment is no move. */
export function rolloutsOf(workload: Workload, look: Look): readonly Rollout[] {
  const windowStart = look.now.getTime() - look.windowMs;
  const newest = workload.revisions.at(-1);
  return workload.revisions
    .flatMap((reached) => rolloutTo(workload, reached, reached === newest) ?? [])
    .filter((rollout) => rollout.at.getTime() >= windowStart)
    .sort((a, b) => a.at.getTime() - b.at.getTime());
}

function rolloutTo(workload: Workload, reached: Revision, current: boolean): Rollout | undefined {
  const before = predecessor(workload, reached.number);
  if (!before) return undefined;
  const writer = current && workload.deployment ? templateWriter(workload.deployment) : undefined;
  const returnsTo = reached.earlierNumbers.at(-1);
  // A ReplicaSet that became current again was created long before: only the writing of the template tells when.
  const at = returnsTo === undefined ? reached.createdAt : writer?.at;
  if (!at) return undefined;
  const cause = reached.replicaSet.metadata?.annotations?.[CHANGE_CAUSE_ANNOTATION];
  const templates = [before.revision?.replicaSet, reached.replicaSet].map((s) => s?.spec?.template);
  return {
    from: before.number,
    to: reached.number,
    at,
    reached,
    changes: templates[0] && templates[1] ? diffTemplates(templates[0], templates[1]) : [],
    ...(before.revision && { left: before.revision }),
    ...(returnsTo !== undefined && { returnsTo }),
    ...(writer && { by: writer }),
    ...(cause !== undefined && { cause }),
  };
}

/** The number before, also when its ReplicaSet has another number today or is no longer kept. */
function predecessor(
  workload: Workload,
  number: number,
): { number: number; revision?: Revision } | undefined {
  const held = workload.revisions
    .flatMap((revision) =>
      [revision.number, ...revision.earlierNumbers].map((n) => ({ number: n, revision })),
    )
    .filter((entry) => entry.number < number)
    .sort((a, b) => b.number - a.number)[0];
  if (held) return held;
  return number > 1 ? { number: number - 1 } : undefined;
}
