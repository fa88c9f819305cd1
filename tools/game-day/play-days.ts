import { findGoTools } from '@starr/lab';
import { SCENARIOS } from './scenarios/index.ts';
import type { Scenario } from './scenario.ts';
import { score, type Score } from './score.ts';
import { createSeeded } from './seeded.ts';

export interface DayResult {
  readonly scores: readonly Score[];
  readonly skipped: readonly { readonly scenario: string; readonly why: string }[];
}

/** Plays the scenarios in the order of the seed, one after another; a scenario that breaks scores nothing. */
export async function playDays(
  seed: number,
  only: readonly string[],
  say: (text: string) => void,
): Promise<DayResult> {
  const seeded = createSeeded(seed);
  const scores: Score[] = [];
  const skipped: { scenario: string; why: string }[] = [];
  const chosen = SCENARIOS.filter(({ id }) => only.length === 0 || only.includes(id));
  for (const scenario of seeded.shuffle(chosen)) {
    const why = await missingFor(scenario);
    if (why !== undefined) {
      skipped.push({ scenario: scenario.id, why });
      continue;
    }
    say(`${scenario.id}: ${scenario.title}`);
    scores.push(await playOne(scenario, seeded.int(1, 1_000_000), say));
  }
  return { scores, skipped };
}

async function playOne(
  scenario: Scenario,
  seed: number,
  say: (text: string) => void,
): Promise<Score> {
  try {
    return score(
      scenario,
      await scenario.play({
        seeded: createSeeded(seed),
        say: (text) => {
          say(`  ${text}`);
        },
      }),
    );
  } catch (error) {
    const said = `could not be played: ${error instanceof Error ? error.message : String(error)}`;
    return {
      scenario: scenario.id,
      top1: false,
      top3: false,
      path: false,
      effect: undefined,
      falseAlarms: 0,
      said,
    };
  }
}

async function missingFor({ needs }: Scenario): Promise<string | undefined> {
  for (const toolset of needs) {
    const tools = await findGoTools(toolset);
    if (tools === undefined)
      return `${toolset} is not compiled yet (npm test or npm run demo does it)`;
  }
  return undefined;
}
