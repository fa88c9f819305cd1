import { missingFor, playDay, type Day, type Told } from './play-day.ts';
import { SCENARIOS } from './scenarios/index.ts';
import type { Score } from './score.ts';
import { createSeeded } from './seeded.ts';

export interface DayResult {
  readonly scores: readonly Score[];
  readonly skipped: readonly { readonly scenario: string; readonly why: string }[];
}

/** All scenarios in the order of the seed. One that is played alone plays as it does among the others. */
export function drawDays(seed: number): readonly Day[] {
  const seeded = createSeeded(seed);
  const days = SCENARIOS.map((scenario) => ({ scenario, seed: seeded.int(1, 1_000_000) }));
  return seeded.shuffle(days);
}

/** Plays them one after another; those that this machine cannot play are named. */
export async function playDays(days: readonly Day[], told: Told): Promise<DayResult> {
  const scores: Score[] = [];
  const skipped: { scenario: string; why: string }[] = [];
  for (const day of days) {
    const why = await missingFor(day.scenario);
    if (why === undefined) scores.push(await playDay(day, told));
    else skipped.push({ scenario: day.scenario.id, why });
  }
  return { scores, skipped };
}
