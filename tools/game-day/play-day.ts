import { findGoTools, installPgBouncer } from '@starr/lab';
import type { Scenario } from './scenario.ts';
import { isPerfect, score, type Score } from './score.ts';
import { createSeeded } from './seeded.ts';
import { createTranscript } from './transcript.ts';

/** One scenario with the seed of its names, sizes and timing. */
export interface Day {
  readonly scenario: Scenario;
  readonly seed: number;
}

export interface Told {
  readonly say: (text: string) => void;
  /** Default false: what `starr` said is told only where something went wrong. */
  readonly verbose?: boolean;
}

/** Plays it to its end. Never fails: a scenario that breaks scores nothing. */
export async function playDay(
  { scenario, seed }: Day,
  { say, verbose = false }: Told,
): Promise<Score> {
  say(`${scenario.id}: ${scenario.title}`);
  const tell = (line: string) => {
    say(`  ${line}`);
  };
  const { text, ...transcript } = createTranscript();
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

/** Why it cannot be played on this machine; absent: it can. */
export async function missingFor({ needs }: Scenario): Promise<string | undefined> {
  for (const toolset of needs) {
    if (toolset === 'pgbouncer') {
      const binary = await installPgBouncer();
      if (binary.kind === 'missing') return binary.why;
      continue;
    }
    const tools = await findGoTools(toolset);
    if (tools.kind === 'missing') return `${tools.why} (npm test or npm run demo does it)`;
  }
  return undefined;
}
