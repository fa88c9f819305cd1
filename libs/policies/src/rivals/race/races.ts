import { breakerRaces, refusalRaces } from './breaker-races.ts';
import type { Contestant, Race } from './contestant.ts';
import { pipelineRaces } from './pipeline-races.ts';
import { queueRaces } from './queue-races.ts';

/** Every race; bench and gate both run these. */
export const races = {
  ...breakerRaces,
  ...refusalRaces,
  ...pipelineRaces,
  ...queueRaces,
} satisfies Record<string, Race>;

export type RaceName = keyof typeof races;

/** Throws a RangeError when there is no such race or nobody of that name in it. */
export function findRace(name: string, who: string): () => Contestant {
  const contestants: Record<string, (() => Contestant) | undefined> =
    name in races ? races[name as RaceName].contestants : {};
  const make = contestants[who];
  if (!make) throw new RangeError(`there is no ${who} in a race ${name}`);
  return make;
}
