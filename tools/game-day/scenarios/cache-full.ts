import type { Stage } from '@starr/lab';
import type { PlayContext, Played, Scenario } from '../scenario.ts';
import { startPlainDay, switchOn, wellAgain } from './plain-stage.ts';

/** The cache is full of keys without an end and may not evict. */
export const cacheFull: Scenario = {
  id: 'cache-cannot-evict',
  title: 'a cache that is full and may not evict',
  kind: 'fault',
  needs: [],
  play: (context) => playCacheFull(context, 'honest'),
};

/** The same, but somebody takes the cure back while its effect is being judged. */
export const cureUndone: Scenario = {
  id: 'cure-silently-undone',
  title: 'the cure is silently undone: its effect must not be established',
  kind: 'fault',
  needs: [],
  play: (context) => playCacheFull(context, 'undone'),
};

async function playCacheFull(
  { seeded, say, look, cure }: PlayContext,
  keeps: 'honest' | 'undone',
): Promise<Played> {
  const { stage, traffic } = await startPlainDay(seeded);
  const undoing = new AbortController();
  try {
    await switchOn(stage, `cache-fill:${seeded.int(96, 192)}`);
    await traffic.untilFelt({ atMost: 0.5, windows: 2, withinMs: 90_000 });
    say('the cache is full');
    const sweep = await look(stage.services);
    const undone = keeps === 'undone' ? takeBack(stage, undoing.signal) : undefined;
    const judged = await cure(stage.services, sweep, 'cache.set-eviction-policy');
    undoing.abort();
    const truth = { causes: ['cache-cannot-evict'], path: ['redis', 'service checkout'] };
    if (undone === undefined) {
      await wellAgain(traffic);
      return { truth, sweep, effect: { judged, truth: 'established' } };
    }
    say(`the cure was taken back ${await undone} times`);
    await traffic.untilFelt({ atMost: 0.5, withinMs: 10_000 });
    return { truth, sweep, effect: { judged, truth: 'missed' } };
  } finally {
    undoing.abort();
    await stage.stop();
  }
}

/** Puts the old policy back whenever it has been changed, until told to stop; how often that was. */
async function takeBack(stage: Stage, signal: AbortSignal): Promise<number> {
  let times = 0;
  while (!signal.aborted) {
    const [, policy] = (await stage.redis.command('CONFIG', 'GET', 'maxmemory-policy')) as string[];
    if (policy !== 'noeviction') {
      await stage.redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
      times += 1;
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  return times;
}
