import type { Services } from '@starr/lab';
import { z } from 'zod';

const sweepSchema = z.object({
  incident: z.string().optional(),
  traceId: z.string().optional(),
  plans: z.array(
    z.object({
      plan: z.string().optional(),
      role: z.string(),
      remedy: z.string(),
      target: z.string(),
    }),
  ),
  answer: z.object({
    severity: z.string(),
    headline: z.string(),
    causes: z.array(
      z.object({
        playbook: z.string(),
        title: z.string(),
        path: z.array(z.string()),
        explains: z.array(z.string()),
      }),
    ),
    findings: z.array(z.object({ diagnostic: z.string(), target: z.string(), says: z.string() })),
    blind: z.array(
      z.object({
        diagnostic: z.string(),
        target: z.string(),
        why: z.string(),
        cure: z.string().optional(),
      }),
    ),
  }),
});

/** As much of the documented JSON of a sweep as a script needs. */
export type SweepJson = z.infer<typeof sweepSchema>;

export async function sweepJson(services: Services): Promise<SweepJson> {
  const { stdout, stderr, code } = await services.starr('sweep', '--json');
  if (code === 3) throw new Error(`starr sweep failed: ${stderr}`);
  return sweepSchema.parse(JSON.parse(stdout));
}
