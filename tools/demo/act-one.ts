import { startStage, type Stage, type Traffic } from '@starr/lab';
import { planAndApply } from './cure.ts';
import type { Narrator } from './narrator.ts';
import { sweepAndRead, type SweepJson } from './sweep-json.ts';

/** What an act showed: the truth was named first, and the effect was established. */
export interface ActResult {
  readonly named: boolean;
  readonly established: boolean;
}

const USERS_FEEL_WITHIN_MS = 60_000;
const WELL_WITHIN_MS = 30_000;

/** The shop as plain processes: healthy, then checkout leaks connections; relief is planned, applied and verified. */
export async function playActOne(
  narrator: Narrator,
  leave: (stage: Stage) => void,
): Promise<ActResult> {
  narrator.act('First act: a leak at night');
  const stage = await startStage({
    environment: 'demo',
    withheld: 'redis-info',
    // Together a little more than the server has slots for, as many a team sizes them.
    checkout: { count: 2, poolMax: 30 },
    onStep: (says) => {
      narrator.step(`starting ${says}`);
    },
  });
  leave(stage);
  const traffic = await stage.shop.startTraffic({ perSecond: 30 });
  await traffic.untilWell({ windows: 2, withinMs: WELL_WITHIN_MS });
  narrator.step('users are well; one grant is withheld from the cache-doctor on purpose');
  narrator.command('starr sweep', (await stage.services.starr('sweep')).stdout);
  const sick = await leak(stage, traffic, narrator);
  const [first] = sick.answer.causes;
  const named = first?.playbook === 'connection-leak' && first.title.includes('checkout');
  narrator.step(
    named
      ? 'the truth was named first: checkout leaks'
      : `the truth was not named first: ${first?.title ?? 'no cause'}`,
  );
  return { named, established: await relieve(stage, traffic, sick, narrator) };
}

/** Checkout leaks until its users feel it; then somebody looks. */
async function leak(stage: Stage, traffic: Traffic, narrator: Narrator): Promise<SweepJson> {
  narrator.step('checkout begins to leak database connections');
  await Promise.all(
    stage.shop.checkouts.map((checkout) => checkout.switchFaults({ on: 'leak-connections:8' })),
  );
  const felt = await traffic.untilFelt({ atMost: 0.9, withinMs: USERS_FEEL_WITHIN_MS });
  narrator.step(`users feel it: ${felt.ok} of ${felt.ok + felt.failed} checkouts succeed`);
  const { text, json } = await sweepAndRead(stage.services);
  narrator.command('starr sweep', text);
  return json;
}

/** The slots are freed, then the processes replaced; true: the effect was established, and users are well. */
async function relieve(
  stage: Stage,
  traffic: Traffic,
  { plans, incident }: SweepJson,
  narrator: Narrator,
): Promise<boolean> {
  const relief = plans.find(
    ({ role, remedy }) => role === 'relieve' && remedy === 'db.terminate-idle-sessions',
  );
  if (relief?.plan === undefined || incident === undefined) return false;
  const relieved = await planAndApply(
    stage.services,
    stage.backstage.configPath,
    relief.plan,
    narrator,
  );
  narrator.step(
    relieved
      ? 'the slots are free for others again; the leak itself goes on'
      : 'the relief has no effect',
  );
  // What a person does where no orchestrator of containers can be asked to: the last good revision.
  await stage.shop.replaceCheckouts({ revision: '1', count: 2 });
  const well = await traffic.untilWell({ windows: 3, withinMs: WELL_WITHIN_MS }).then(
    () => true,
    () => false,
  );
  narrator.step(
    well
      ? 'the processes are replaced by the good ones, users are well'
      : 'users are still not well',
  );
  narrator.command(
    `starr report ${incident}`,
    (await stage.services.starr('report', incident)).stdout,
  );
  return relieved && well;
}
