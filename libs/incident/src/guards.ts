import type { Answer, CauseAnswer, FindingLine } from './answer.ts';
import type { Guard } from './effect.ts';
import { isFelt } from './felt.ts';

/**
 * What must be well again beside the registered effect, so that it counts as established: every measurement of users'
 * trouble that the cause explains must be back within its threshold. Empty: users felt nothing.
 */
export function guardsOf(answer: Answer, cause: CauseAnswer): readonly Guard[] {
  return answer.findings
    .filter(({ id, about }) => cause.explains.includes(id) && isFelt(about))
    .flatMap(guardOf);
}

function guardOf({ diagnostic, about, measured }: FindingLine): readonly Guard[] {
  const crossed = measured.find(({ value, limit }) => limit !== undefined && value > limit);
  if (crossed?.limit === undefined) return [];
  return [
    {
      diagnostic,
      about: crossed.about,
      measurement: crossed.name,
      below: crossed.limit,
      says: `users of ${about.name}: ${crossed.name}`,
    },
  ];
}
