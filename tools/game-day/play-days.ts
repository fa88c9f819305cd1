import { findGoTools } from '@starr/lab';
import { SCENARIOS } from './scenarios/index.ts';
import type { Scenario } from './scenario.ts';
import { isPerfect, score, type Score } from './score.ts';
import { createSeeded } from './seeded.ts';
import { createTranscript } from './transcript.ts';

export interface DayResult {
  readonly scores: readonly Score[];
  readonly skipped: readonly { readonly scenario: string; readonly why: string }[];
}

export interface DayOptions {
  /** Names, sizes, timing and order come from it. */
  readonly seed: number;
  /** Ids of scenarios; empty: all. */
  readonly only: readonly string[];
  /** Default false: what `starr` said is told only where something went wrong. */
  readonly verbose?: boolean;
}

/** Plays the scenarios in the order of the seed, one after another; a scenario that breaks scores nothing. */
export async function playDays(
  { seed, only, verbose = false }: DayOptions,
  say: (text: string) => void,
): Promise<DayResult> {
  const seeded = createSeeded(seed);
  const scores: Score[] = [];
  const skipped: { scenario: string; why: string }[] = [];
  // Drawn for all of them, so that one that is played alone plays as it does among the others.
  const seeds = new Map(SCENARIOS.map(({ id }) => [id, seeded.int(1, 1_000_000)]));
  const order = seeded.shuffle(SCENARIOS);
  for (const scenario of order.filter(({ id }) => only.length === 0 || only.includes(id))) {
    const why = await missingFor(scenario);
    if (why !== undefined) {
      skipped.push({ scenario: scenario.id, why });
      continue;
    }
    say(`${scenario.id}: ${scenario.title}`);
    scores.push(await playOne(scenario, { seed: seeds.get(scenario.id) ?? seed, verbose }, say));
  }
  return { scores, skipped };
}

async function playOne(
  scenario: Scenario,
  { seed, verbose }: { readonly seed: number; readonly verbose: boolean },
  say: (text: string) => void,
): Promise<Score> {
  const { text, ...transcript } = createTranscript();
  const tell = (line: string) => {
    say(`  ${line}`);
  };
  const startedMs = performance.now();
  const one = await scenario
    .play({ seeded: createSeeded(seed), say: tell, ...transcript })
    .then((played) => score(scenario, played))
    .catch((error: unknown) => unplayed(scenario, error));
  if (verbose || !isPerfect(one)) for (const line of text().split('\n')) tell(line);
  return { ...one, tookMs: performance.now() - startedMs };
}

function unplayed({ id }: Scenario, error: unknown): Score {
  return {
    scenario: id,
    top1: false,
    top3: false,
    path: false,
    effect: undefined,
    falseAlarms: 0,
    said: `could not be played: ${error instanceof Error ? error.message : String(error)}`,
  };
}

async function missingFor({ needs }: Scenario): Promise<string | undefined> {
  for (const toolset of needs) {
    const tools = await findGoTools(toolset);
    if (tools.kind === 'missing') return `${tools.why} (npm test or npm run demo does it)`;
  }
  return undefined;
}
