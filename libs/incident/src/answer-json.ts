import { BLIND_REASONS } from '@starr/kernel';
import { z } from 'zod';
import type { Answer } from './answer.ts';

/** JSON has no Date: RFC 3339 on the wire, Date in code. */
const moment = z.union([z.date(), z.iso.datetime().transform((text) => new Date(text))]);

/** JSON knows no NaN and no Infinity and says null; a number that nobody can use is no reason to lose an answer. */
const number = z.union([z.number(), z.null().transform(() => Number.NaN)]);

const entity = z.object({ kind: z.string(), name: z.string(), scope: z.string().optional() });
const measurement = z.object({
  name: z.string(),
  about: entity,
  value: number,
  limit: number.optional(),
});
/** An int64 travels as its digits, bytes not at all. */
const value = z.union([
  z.string(),
  number,
  z.boolean(),
  z.object({ moment: z.string() }),
  z.object({ durationMs: z.number() }),
]);
const severity = z.enum(['warning', 'critical']);
const texts = z.array(z.string());

const finding = z.object({
  id: z.string(),
  diagnostic: z.string(),
  target: z.string(),
  severity,
  about: entity,
  says: z.string(),
  at: moment.optional(),
  measured: z.array(measurement),
  rows: z.array(z.record(z.string(), value)),
});

const step = z.object({
  number: z.number(),
  role: z.enum(['relieve', 'cure']),
  remedy: z.string(),
  title: z.string(),
  target: z.string(),
  params: z.record(z.string(), value),
  missing: texts,
});

const cause = z.object({
  number: z.number(),
  playbook: z.string(),
  standing: z.enum(['grounded', 'ungrounded', 'possible']),
  title: z.string(),
  says: z.string(),
  severity,
  about: entity,
  primary: z.string(),
  doubts: texts,
  clauses: z.array(
    z.object({
      name: z.string(),
      state: z.enum(['found', 'blind']),
      diagnostics: texts,
      says: z.string(),
    }),
  ),
  explains: texts,
  against: texts,
  onset: moment.optional(),
  timeline: z.array(
    z.object({
      at: moment,
      kind: z.enum(['finding', 'change']),
      says: z.string(),
      note: z.string().optional(),
    }),
  ),
  path: texts,
  pathLayers: z.array(z.array(entity)),
  also: texts,
  ruledOut: texts,
  unproven: texts,
  steps: z.array(step),
  avoid: z.array(z.object({ remedy: z.string(), because: z.string() })),
  reflect: texts,
  generalises: texts,
});

/** The documented shape of an answer as JSON (`starr sweep --json`); what its members mean: answer.ts. */
export const answerSchema = z.object({
  environment: z.string(),
  startedAt: moment,
  endedAt: moment,
  historySince: moment.optional(),
  severity: z.enum(['warning', 'critical', 'none']),
  headline: z.string(),
  urgent: z.string().optional(),
  causes: z.array(cause),
  possible: z.array(cause),
  findings: z.array(finding),
  unexplained: texts,
  accepted: z.array(
    z.object({ finding, reason: z.string(), until: moment, acceptedBy: z.string() }),
  ),
  blind: z.array(
    z.object({
      diagnostic: z.string(),
      target: z.string(),
      isPartial: z.boolean(),
      why: z.enum(BLIND_REASONS),
      detail: z.string(),
      cure: z.string().optional(),
    }),
  ),
  checks: z.array(
    z.object({
      diagnostic: z.string(),
      target: z.string(),
      status: z.enum(['found', 'blind', 'healthy']),
      isPartial: z.boolean(),
      measured: z.array(measurement),
    }),
  ),
  dormant: z.array(z.object({ playbook: z.string(), says: z.string() })),
  cost: z.array(z.object({ target: z.string(), footprint: z.record(z.string(), number) })),
});

/** An answer as JSON text: moments in RFC 3339, an int64 as its digits, bytes as their length. */
export function answerToJson(answer: Answer): string {
  return JSON.stringify(answer, (_key, member: unknown) => {
    if (typeof member === 'bigint') return member.toString();
    return member instanceof Uint8Array ? `${member.byteLength} bytes` : member;
  });
}

/** Undefined: the text is no answer. Members that a newer version adds are left out. */
export function answerFromJson(text: string): Answer | undefined {
  try {
    const parsed = answerSchema.safeParse(JSON.parse(text));
    return parsed.success ? (parsed.data as Answer) : undefined;
  } catch {
    return undefined;
  }
}
