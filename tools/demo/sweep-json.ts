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
    checks: z.array(
      z.object({
        diagnostic: z.string(),
        measured: z.array(z.object({ name: z.string(), value: z.number() })),
      }),
    ),
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

const shownSchema = z.object({
  answer: z.object({ answerJson: z.string(), proposals: sweepSchema.shape.plans }),
});

/** As much of the documented JSON of a sweep as a script needs. */
export type SweepJson = z.infer<typeof sweepSchema>;

/** The newest incident's answer as JSON, from the sweep that a person has just read. */
export async function sweepAndRead(
  services: Services,
): Promise<{ readonly text: string; readonly json: SweepJson }> {
  const text = (await services.starr('sweep')).stdout;
  const incident = /\b(INC-\d+) · trace/.exec(text)?.[1] ?? /starr show (INC-\d+)/.exec(text)?.[1];
  if (incident === undefined) return { text, json: await sweepJson(services) };
  const { stdout } = await services.starr('show', incident, '--json');
  const shown = shownSchema.parse(JSON.parse(stdout));
  const answer = sweepSchema.shape.answer.parse(JSON.parse(shown.answer.answerJson));
  const traceId = /trace ([0-9a-f]+)/.exec(text)?.[1];
  return {
    text,
    json: {
      incident,
      plans: shown.answer.proposals,
      answer,
      ...(traceId !== undefined && { traceId }),
    },
  };
}

export async function sweepJson(services: Services): Promise<SweepJson> {
  const { stdout, stderr, code } = await services.starr('sweep', '--json');
  if (code === 3) throw new Error(`starr sweep failed: ${stderr}`);
  return sweepSchema.parse(JSON.parse(stdout));
}
