import type { Outcome } from '@starr/kernel';
import type { PausePoolerAct } from '../acts/pooler.ts';
import { quoteIdentifier } from '../quote-identifier.ts';
import type { ActEvents } from './act-context.ts';
import type { OpenPooler, PoolerActContext } from './apply-pooler-act.ts';
import { databaseFacts } from './pooler-facts.ts';
import { outcomeOfThrown, refusedByPooler } from './pooler-outcome.ts';

const ANSWER_WITHIN_MS = 2000;
const LOOK_EVERY_MS = 50;

/**
 * PAUSE answers when the work in progress has ended, and keeps new work waiting meanwhile. What takes too long, or is
 * asked to stop, is undone by RESUME from a second console, since the first one is still waiting; whether that worked is
 * looked up, since the PAUSE of a resumed database answers as if it were paused.
 */
export async function* applyPausePooler(
  act: PausePoolerAct,
  open: OpenPooler,
  context: PoolerActContext,
): ActEvents {
  const database = quoteIdentifier(act.database);
  try {
    const known = await factsOf(act, open);
    // PAUSE of an unknown name makes a database of that name where the configuration has a wildcard.
    if (known === undefined) {
      yield refusedByPooler(`${act.pooler} has no database ${act.database} any more`);
      return;
    }
    if (known.paused) {
      yield refusedByPooler(`${act.database} is paused already, by somebody else`);
      return;
    }
  } catch (thrown) {
    const { says } = outcomeOfThrown(thrown, act.pooler) as { says: string };
    yield { kind: 'outcome', outcome: 'failed', says: `nothing was done: ${says}` };
    return;
  }
  yield { kind: 'progress', says: `waits for the work in progress of ${act.database} to end` };
  yield await pause(database, act, open, context);
}

async function pause(
  database: string,
  act: PausePoolerAct,
  open: OpenPooler,
  context: PoolerActContext,
): Promise<Outcome> {
  const answered = open.console.command(`PAUSE ${database}`, act.withinMs + ANSWER_WITHIN_MS).then(
    () => 'answered' as const,
    (thrown: unknown) => ({ thrown }),
  );
  const end = await firstOf(answered, act.withinMs, context);
  if (end === 'late' || end === 'cancelled') return undo(database, end, act, open, context);
  if (end !== 'answered') return outcomeOfThrown(end.thrown, act.pooler);
  const now = await factsOf(act, open).catch(() => undefined);
  return now?.paused === true
    ? { kind: 'outcome', outcome: 'applied', before: { paused: false }, after: { paused: true } }
    : {
        kind: 'outcome',
        outcome: 'indeterminate',
        says: `PAUSE was answered, and ${act.database} is not seen to be paused: somebody may have resumed it`,
      };
}

async function firstOf<T>(
  answered: Promise<T>,
  withinMs: number,
  context: PoolerActContext,
): Promise<T | 'late' | 'cancelled'> {
  const giveUpAtMs = performance.now() + withinMs;
  for (;;) {
    const tick = new Promise<'not yet'>((resolve) => setTimeout(resolve, LOOK_EVERY_MS, 'not yet'));
    const first = await Promise.race([answered, tick]);
    if (first !== 'not yet') return first;
    if (context.isCancelled()) return 'cancelled';
    if (performance.now() > giveUpAtMs) return 'late';
  }
}

async function undo(
  database: string,
  why: 'late' | 'cancelled',
  act: PausePoolerAct,
  { pooler }: OpenPooler,
  { limit }: PoolerActContext,
): Promise<Outcome> {
  const because =
    why === 'late' ? `work in progress did not end within ${act.withinMs} ms` : 'stopped';
  try {
    const second = await pooler.openActing(limit);
    if (second === undefined) throw new Error('no acting credential');
    try {
      await second.command(`RESUME ${database}`, ANSWER_WITHIN_MS);
      const now = await factsOf(act, { console: second });
      if (now?.paused === false)
        return {
          kind: 'outcome',
          outcome: 'failed',
          says: `${because}: resumed, clients go on as before`,
        };
    } finally {
      await second.close();
    }
  } catch {
    // below
  }
  return {
    kind: 'outcome',
    outcome: 'indeterminate',
    says: `${because}, and RESUME was not confirmed. By hand, on the console of ${act.pooler}: RESUME ${database};`,
  };
}

async function factsOf(
  { database }: PausePoolerAct,
  { console }: Pick<OpenPooler, 'console'>,
): Promise<ReturnType<typeof databaseFacts>> {
  return databaseFacts(await console.command('SHOW DATABASES', ANSWER_WITHIN_MS), database);
}
