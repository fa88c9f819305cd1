import { spreadOf } from '../../statistics.ts';
import { runContestant, runIdle, type Idle, type Laps, type RaceSize } from './run-race.ts';

export interface PoliciesBench {
  /** By race, then by contestant. */
  readonly races: ReadonlyMap<string, ReadonlyMap<string, Laps>>;
  readonly idle: ReadonlyMap<string, Idle>;
  readonly idleCount: number;
}

/** Who takes part in which race; the spec holds it against the races themselves. */
export const ENTRIES: Readonly<Record<string, readonly string[]>> = {
  consecutive: ['starr', 'cockatiel'],
  count: ['starr', 'cockatiel'],
  time: ['starr', 'cockatiel', 'opossum'],
  latencies: ['starr', 'opossum'],
  refused: ['starr', 'opossum', 'cockatiel'],
  timeout: ['starr', 'cockatiel'],
  'timed-breaker': ['starr', 'opossum'],
  pipeline: ['starr', 'cockatiel'],
  queue: ['starr', 'p-queue'],
  'queue-burst': ['starr', 'p-queue'],
};

const IDLE_ENTRANTS = ['starr', 'starr-consecutive', 'opossum', 'cockatiel'];
const IDLE_COUNT = 10_000;
const IDLE_FOR_MS = 3000;
const SIZE: RaceSize = { samples: 41, sampleMs: 10 };

/** Every contestant as often as there are rounds, in turn, each time in a new process: medians over all. */
export async function benchPolicies(
  rounds: number,
  say: (says: string) => void,
): Promise<PoliciesBench> {
  const races = new Map<string, ReadonlyMap<string, Laps>>();
  for (const [race, entrants] of Object.entries(ENTRIES)) {
    say(`policies: ${race}`);
    races.set(race, await runRace(race, entrants, rounds, SIZE));
  }
  say(`policies: ${IDLE_COUNT} breakers that nobody calls`);
  const idle = new Map<string, Idle>();
  for (const who of IDLE_ENTRANTS) idle.set(who, await runIdle(who, IDLE_COUNT, IDLE_FOR_MS));
  return { races, idle, idleCount: IDLE_COUNT };
}

export async function runRace(
  race: string,
  entrants: readonly string[],
  rounds: number,
  size: RaceSize,
): Promise<ReadonlyMap<string, Laps>> {
  const laps = new Map<string, Laps[]>(entrants.map((who) => [who, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const who of entrants) laps.get(who)?.push(await runContestant(race, who, size));
  }
  return new Map([...laps].map(([who, each]) => [who, medianLaps(each)]));
}

/** The median of the rounds' medians; the least and the greatest are those of the medians too. */
function medianLaps(laps: readonly Laps[]): Laps {
  return {
    bare: spreadOf(laps.map(({ bare }) => bare.median)),
    call: spreadOf(laps.map(({ call }) => call.median)),
    over: spreadOf(laps.map(({ over }) => over.median)),
  };
}
