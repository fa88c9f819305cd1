import { durationText } from '@starr/kernel';
import { LEFT_ANNOTATION } from '../annotations.ts';
import type { Revision, Workload } from './workloads.ts';

/** So long must a revision have been seen healthy to count as proven. Own: a leak shows within a minute of traffic. */
const PROVEN_MS = 60_000;

export interface Chosen {
  readonly current: Revision;
  readonly to: Revision;
  /** What is known of the health of `to`, for people. */
  readonly known: string;
  readonly proven: boolean;
}

/**
 * The newest revision before the current one that was seen healthy; failing that the newest, said to be unproven. Not the one
 * that our own last rollback left, and not kubectl's "second highest", which toggles between two. A sentence: why there is none.
 */
export function chooseRevision(workload: Workload, wanted: number | undefined): Chosen | string {
  const name = `${workload.namespace}/${workload.name}`;
  const current = workload.revisions.at(-1);
  const hash = workload.templateHash;
  if (!current || hash === undefined) return `${name} has no history of revisions`;
  if (current.templateHash !== hash) {
    return `the template of ${name} has just changed and has no revision yet: look again in a moment`;
  }
  const kept = workload.revisions.filter(({ templateHash }) => templateHash !== undefined);
  if (wanted !== undefined) return chooseWanted(kept, current, wanted, name);
  const others = kept.filter(({ templateHash }) => templateHash !== hash).toReversed();
  if (others.length === 0) {
    return `${name} has no other revision: its history is empty, or all that is kept of it has the same template`;
  }
  const left = workload.deployment?.metadata?.annotations?.[LEFT_ANNOTATION];
  const candidates = others.filter((revision) => revision.name !== left);
  const best =
    candidates.find(isProven) ?? candidates.find((one) => one.seenHealthy) ?? candidates[0];
  if (best) return chosen(current, best);
  return `the only other revision of ${name} is the one that the last rollback left; give toRevision to go there all the same`;
}

function chooseWanted(
  kept: readonly Revision[],
  current: Revision,
  wanted: number,
  name: string,
): Chosen | string {
  const numbers = ({ number, earlierNumbers }: Revision) => [number, ...earlierNumbers];
  const to = kept.find((revision) => numbers(revision).includes(wanted));
  if (!to) {
    const known = kept.flatMap(numbers).sort((a, b) => a - b);
    return `revision ${wanted} of ${name} is not kept; there are ${known.join(', ')}`;
  }
  return to.templateHash === current.templateHash
    ? `revision ${wanted} of ${name} has the template that runs already`
    : chosen(current, to);
}

function chosen(current: Revision, to: Revision): Chosen {
  return { current, to, proven: isProven(to), known: knownOf(to) };
}

function healthyMs({ seenHealthy }: Revision): number {
  return seenHealthy ? Date.parse(seenHealthy.to) - Date.parse(seenHealthy.from) : 0;
}

function isProven(revision: Revision): boolean {
  return healthyMs(revision) >= PROVEN_MS;
}

function knownOf(revision: Revision): string {
  const { seenHealthy, number } = revision;
  if (!seenHealthy) return `unproven: nobody saw revision ${number} healthy`;
  const span = `${durationText(healthyMs(revision))} until ${seenHealthy.to.slice(0, 16)}Z`;
  return isProven(revision)
    ? `seen healthy for ${span}`
    : `unproven: seen healthy only for ${span}`;
}
