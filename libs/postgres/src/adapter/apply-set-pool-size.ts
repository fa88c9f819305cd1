import type { Outcome } from '@starr/kernel';
import type { SetPoolSizeAct } from '../acts/pooler.ts';
import type { ActEvents } from './act-context.ts';
import type { OpenPooler } from './apply-pooler-act.ts';
import { databaseFacts, defaultPoolSize } from './pooler-facts.ts';
import { outcomeOfThrown, refusedByPooler } from './pooler-outcome.ts';

const ANSWER_WITHIN_MS = 2000;

/** Instant: the pooler opens or closes connections as clients come and go. */
export async function* applySetPoolSize(act: SetPoolSizeAct, open: OpenPooler): ActEvents {
  const changed = await whatChanged(act, open).catch((thrown: unknown) =>
    outcomeOfThrown(thrown, act.pooler),
  );
  if (changed !== undefined) {
    yield changed.outcome === 'indeterminate'
      ? { kind: 'outcome', outcome: 'failed', says: `nothing was done: ${changed.says}` }
      : changed;
    return;
  }
  yield await setAndLook(act, open).catch((thrown: unknown) => outcomeOfThrown(thrown, act.pooler));
}

type Ended = Extract<
  Outcome,
  { readonly says: string; readonly outcome: 'refused' | 'failed' | 'indeterminate' }
>;

/** The guard: the size is what the plan was made from. */
async function whatChanged(act: SetPoolSizeAct, open: OpenPooler): Promise<Ended | undefined> {
  const now = await lookAt(act, open);
  if (now.size !== act.from)
    return refused(`default_pool_size is ${now.size} by now, not ${act.from} as planned`);
  const [other] = now.others;
  return other === undefined
    ? undefined
    : refused(`${other} has a pool_size of its own, or is not there any more`);
}

async function setAndLook(act: SetPoolSizeAct, open: OpenPooler): Promise<Outcome> {
  await open.console.command(`SET default_pool_size = ${act.to}`, ANSWER_WITHIN_MS);
  const now = await lookAt({ ...act, from: act.to }, open);
  const [other] = now.others;
  if (other !== undefined) {
    await open.console.command(`SET default_pool_size = ${act.from}`, ANSWER_WITHIN_MS);
    return refused(
      `${other} did not follow: its line in pgbouncer.ini has a pool_size of its own. Set back to ${act.from}`,
    );
  }
  return {
    kind: 'outcome',
    outcome: 'applied',
    before: { defaultPoolSize: act.from },
    after: { defaultPoolSize: now.size, databases: act.databases },
  };
}

/** The default, and the databases whose size is another one. */
async function lookAt(
  { from, databases }: SetPoolSizeAct,
  { console }: OpenPooler,
): Promise<{ size: number; others: readonly string[] }> {
  const config = await console.command('SHOW CONFIG', ANSWER_WITHIN_MS);
  const rows = await console.command('SHOW DATABASES', ANSWER_WITHIN_MS);
  return {
    size: defaultPoolSize(config),
    others: databases.filter((name) => databaseFacts(rows, name)?.poolSize !== from),
  };
}

function refused(says: string): Ended {
  return refusedByPooler(says) as Ended;
}
