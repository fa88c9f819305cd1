import type { Services } from '@starr/lab';
import type { SweepJson } from '../demo/sweep-json.ts';

/** Plans, approves and applies what the answer proposes; true: the effect is established. */
export async function applyCure(
  services: Services,
  sweep: SweepJson,
  remedy: string,
): Promise<boolean> {
  const proposal = sweep.plans.find((plan) => plan.remedy === remedy);
  if (proposal?.plan === undefined) return false;
  const planned = await services.starr('plan', proposal.plan);
  const hash = /^hash +(\S+)$/m.exec(planned.stdout)?.[1];
  if (hash === undefined) return false;
  const { code } = await services.starr(
    'apply',
    proposal.plan,
    '--approve',
    hash,
    '--reason',
    'game day',
  );
  return code === 0;
}
