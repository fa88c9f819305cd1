import type { Outcome } from '@starr/kernel';
import type { ResumePoolerAct } from '../acts/pooler.ts';
import { quoteIdentifier } from '../quote-identifier.ts';
import type { ActEvents } from './act-context.ts';
import type { OpenPooler } from './apply-pooler-act.ts';
import { databaseFacts } from './pooler-facts.ts';
import { outcomeOfThrown, refusedByPooler } from './pooler-outcome.ts';

const ANSWER_WITHIN_MS = 2000;

export async function* applyResumePooler(act: ResumePoolerAct, open: OpenPooler): ActEvents {
  yield await resume(act, open).catch((thrown: unknown) => outcomeOfThrown(thrown, act.pooler));
}

async function resume(
  { pooler, database }: ResumePoolerAct,
  { console }: OpenPooler,
): Promise<Outcome> {
  const isPaused = async (): Promise<boolean> =>
    databaseFacts(await console.command('SHOW DATABASES', ANSWER_WITHIN_MS), database)?.paused ===
    true;
  if (!(await isPaused())) return refusedByPooler(`${database} is not paused on ${pooler}`);
  await console.command(`RESUME ${quoteIdentifier(database)}`, ANSWER_WITHIN_MS);
  return (await isPaused())
    ? {
        kind: 'outcome',
        outcome: 'indeterminate',
        says: `RESUME was answered, and ${database} is seen to be paused: somebody may have paused it again`,
      }
    : { kind: 'outcome', outcome: 'applied', before: { paused: true }, after: { paused: false } };
}
