import type { Services } from '@starr/lab';
import { z } from 'zod';
import type { SweepJson } from '../demo/sweep-json.ts';

/** `not-applied`: no such plan was proposed, or it was not carried out; then nothing was judged. */
export type CureEnd = 'established' | 'missed' | 'not-applied';

export interface Cured {
  readonly end: CureEnd;
  /** What `starr` printed. */
  readonly text: string;
}

const endedSchema = z.object({
  kind: z.literal('ended'),
  says: z.string(),
  plan: z.object({ state: z.string() }),
});

/** Plans, approves and applies what the answer proposes, and follows it until its effect is judged. */
export async function applyCure(
  services: Services,
  sweep: SweepJson,
  remedy: string,
): Promise<Cured> {
  const proposal = sweep.plans.find((plan) => plan.remedy === remedy);
  if (proposal?.plan === undefined) return { end: 'not-applied', text: `no plan of ${remedy}` };
  const planned = await services.starr('plan', proposal.plan);
  const text = planned.stdout + planned.stderr;
  const hash = /^hash +(\S+)$/m.exec(planned.stdout)?.[1];
  if (hash === undefined) return { end: 'not-applied', text };
  const approval = ['--approve', hash, '--reason', 'game day', '--json'];
  const { stdout, stderr } = await services.starr('apply', proposal.plan, ...approval);
  const ended = stdout.split('\n').flatMap(endedFrom).at(-1);
  return {
    end: endFrom(ended?.plan.state),
    text: `${text}${ended?.says ?? stdout}\n${stderr}`,
  };
}

function endedFrom(line: string): readonly z.infer<typeof endedSchema>[] {
  if (line === '') return [];
  const ended = endedSchema.safeParse(JSON.parse(line));
  return ended.success ? [ended.data] : [];
}

function endFrom(state: string | undefined): CureEnd {
  return state === 'established' || state === 'missed' ? state : 'not-applied';
}
