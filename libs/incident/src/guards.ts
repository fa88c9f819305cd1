import type { Answer, CauseAnswer, FindingLine } from './answer.ts';
import type { Guard } from './effect.ts';
import { isFelt } from './felt.ts';

/**
 * What must be well again beside the registered effect, so that it counts as established: what users felt and the
 * cause explains must be back within its threshold. Empty: users felt nothing.
 */
export function guardsOf(answer: Answer, cause: CauseAnswer): readonly Guard[] {
  return answer.findings
    .filter(({ id, about }) => cause.explains.includes(id) && isFelt(about))
    .flatMap(guardsOfFinding);
}

/**
 * Only the measurement that a finding names first is what it is about. The others may have limits of another kind
 * (so many requests at least), and being beyond those is no illness.
 */
function guardsOfFinding({ diagnostic, measured }: FindingLine): readonly Guard[] {
  const [primary] = measured;
  return measured.flatMap(({ name, about, value, limit }) =>
    name === primary?.name && limit !== undefined && value > limit
      ? [
          {
            diagnostic,
            about,
            measurement: name,
            below: limit,
            says: `users of ${about.name}: ${name}`,
          },
        ]
      : [],
  );
}
