import { sweepJson } from '../../demo/sweep-json.ts';
import { applyCure } from '../apply-cure.ts';
import type { Played, Scenario } from '../scenario.ts';
import { startPlainDay } from './plain-stage.ts';
import type { PlayContext } from '../scenario.ts';

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
  { seeded, say }: PlayContext,
  cure: 'honest' | 'undone',
): Promise<Played> {
  const { stage, traffic } = await startPlainDay(seeded);
  try {
    await Promise.all(
      stage.shop.checkouts.map((checkout) =>
        checkout.switchFaults({ on: `cache-fill:${seeded.int(96, 192)}` }),
      ),
    );
    await traffic.untilFelt({ atMost: 0.5, windows: 2, withinMs: 90_000 });
    say('the cache is full');
    const sweep = await sweepJson(stage.services);
    const undone = new AbortController();
    if (cure === 'undone') void takeBack(stage, undone.signal);
    const established = await applyCure(stage.services, sweep, 'cache.set-eviction-policy');
    undone.abort();
    const expected = cure === 'honest' ? 'established' : 'missed';
    const well =
      cure === 'undone' ||
      (await traffic.untilWell({ windows: 3, withinMs: 30_000 }).then(
        () => true,
        () => false,
      ));
    return {
      truth: { causes: ['cache-cannot-evict'], path: [] },
      sweep,
      effect: { established: established && well, expected },
    };
  } finally {
    await stage.stop();
  }
}

/** Puts the old policy back as soon as it has been changed, until told to stop. */
async function takeBack(
  stage: Awaited<ReturnType<typeof startPlainDay>>['stage'],
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await stage.redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
