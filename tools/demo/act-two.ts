import { startClusterStage, type ClusterStage } from '@starr/lab';
import type { ActResult } from './act-one.ts';
import { planAndApply } from './cure.ts';
import type { Narrator } from './narrator.ts';
import type { Part } from './options.ts';
import { sweepAndRead } from './sweep-json.ts';

const BAD_TAG = '1.8.2';
const USERS_FEEL_WITHIN_MS = 90_000;
const WELL_WITHIN_MS = 60_000;

/** The shop as pods: a rollout leaks, the sweep names it, the cure is approved, applied and verified. */
export async function playActTwo(
  narrator: Narrator,
  without: ReadonlySet<Part>,
  leave: (stage: ClusterStage) => void,
): Promise<ActResult> {
  narrator.act('Second act: the rollout');
  const stage = await startClusterStage({
    environment: 'demo',
    faulty: { [`shop/checkout:${BAD_TAG}`]: 'leak-connections:6' },
    jaeger: !without.has('jaeger'),
    onStep: (says) => {
      narrator.step(`starting ${says}`);
    },
  });
  leave(stage);
  const { services, shop } = stage;
  const traffic = await shop.startTraffic({ perSecond: 30 });
  await traffic.untilWell({ windows: 2, withinMs: WELL_WITHIN_MS });
  narrator.step(`users are well on ${shop.readyCheckouts().length} pods of checkout`);
  narrator.command('starr sweep', (await services.starr('sweep')).stdout);

  narrator.step(`revision 2 of checkout is rolled out, image shop/checkout:${BAD_TAG}`);
  await shop.rollOut({ tag: BAD_TAG });
  const felt = await traffic.untilFelt({ atMost: 0.9, withinMs: USERS_FEEL_WITHIN_MS });
  narrator.step(`users feel it: ${felt.ok} of ${felt.ok + felt.failed} checkouts succeed`);
  const { text, json } = await sweepAndRead(services);
  narrator.command('starr sweep', text);
  const { answer, plans, incident, traceId } = json;
  const [first] = answer.causes;
  const named = first?.playbook === 'leak-since-rollout' && first.title.includes('shop/checkout');
  narrator.step(
    named
      ? 'the truth was named first: the rollout of checkout'
      : `the truth was not named first: ${first?.title ?? 'no cause'}`,
  );

  for (const { plan, role } of plans) {
    if (plan !== undefined && role === 'relieve')
      narrator.command(`starr plan ${plan}`, (await services.starr('plan', plan)).stdout);
  }
  const cure = plans.find(({ role, remedy }) => role === 'cure' && remedy === 'k8s.rollback');
  if (cure?.plan === undefined || incident === undefined) return { named, established: false };
  const applied = await planAndApply(services, stage.backstage.configPath, cure.plan, narrator);
  // Under unchanged load: users alone decide whether it helped.
  const well = await traffic.untilWell({ windows: 3, withinMs: WELL_WITHIN_MS }).then(
    () => true,
    () => false,
  );
  narrator.step(
    applied && well
      ? 'the effect is established, and users are well'
      : `effect ${applied ? '' : 'not '}established, users ${well ? '' : 'not '}well`,
  );
  narrator.command(`starr report ${incident}`, (await services.starr('report', incident)).stdout);
  if (traceId !== undefined && stage.jaeger) {
    const trace = await services.starr('trace', traceId);
    narrator.command(
      `starr trace ${traceId}`,
      trace.stdout.split('\n').slice(0, 40).join('\n') + trace.stderr,
    );
  }
  return { named, established: applied && well };
}
