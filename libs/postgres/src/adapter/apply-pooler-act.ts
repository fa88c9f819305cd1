import type { Limit } from '@starr/kernel';
import type { PoolerAct } from '../acts/pooler.ts';
import type { ActEvents } from './act-context.ts';
import { applyPausePooler } from './apply-pause-pooler.ts';
import { applyResumePooler } from './apply-resume-pooler.ts';
import { applySetPoolSize } from './apply-set-pool-size.ts';
import { failed } from './failed.ts';
import { doctorErrorFromPg } from './pg-error.ts';
import type { ActingConsole, PoolerConsole } from './pooler-console.ts';
import { consoleContext } from './pooler-place.ts';

/** What an act on a pooler is carried out with. */
export interface PoolerActContext {
  readonly limit: Limit;
  readonly consoles: readonly PoolerConsole[];
  /** Somebody asked to stop. */
  isCancelled(): boolean;
}

/** The only code that can change a pooler: one exhaustive switch over the kinds of act. Yields one outcome, last. */
export async function* applyPoolerAct(act: PoolerAct, context: PoolerActContext): ActEvents {
  const pooler = context.consoles.find(({ config }) => config.name === act.pooler);
  if (pooler === undefined) {
    yield failed(`nothing was done: no pooler ${act.pooler} is configured for this target`);
    return;
  }
  let console: ActingConsole | undefined;
  try {
    console = await pooler.openActing(context.limit);
  } catch (thrown) {
    const error = doctorErrorFromPg(thrown, consoleContext(pooler.config));
    yield failed(`nothing was done: ${error.rawMessage}`, error.details['cure']);
    return;
  }
  if (console === undefined) {
    yield failed(`nothing was done: no acting credential is configured for pooler ${act.pooler}`);
    return;
  }
  try {
    yield* eventsOf(act, { console, pooler }, context);
  } finally {
    await console.close();
  }
}

/** A console of the acting user, and where another one can be opened. */
export interface OpenPooler {
  readonly console: ActingConsole;
  readonly pooler: PoolerConsole;
}

function eventsOf(act: PoolerAct, open: OpenPooler, context: PoolerActContext): ActEvents {
  switch (act.kind) {
    case 'set-pool-size':
      return applySetPoolSize(act, open);
    case 'pause-pooler':
      return applyPausePooler(act, open, context);
    case 'resume-pooler':
      return applyResumePooler(act, open);
  }
}
