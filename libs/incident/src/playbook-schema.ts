import { parseDurationMs } from '@starr/kernel';
import { z } from 'zod';

const id = z
  .string({ error: 'an id such as db.connection-leak' })
  .regex(/^[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*$/, { error: 'an id such as db.connection-leak' });

const name = z
  .string({ error: 'a name in lower case, such as leak' })
  .regex(/^[a-z][a-zA-Z0-9]*$/, { error: 'a name in lower case, such as leak' });

const text = z.string({ error: 'a text' }).min(1, { error: 'a text that is not empty' });

const ids = z.union([id, z.array(id).min(1)], {
  error: 'an id such as db.connection-leak, or a list of them',
});

const kinds = z.union([text, z.array(text).min(1)], {
  error: 'an entity kind such as pod, or a list of them',
});

const number = z.number({ error: 'a number' });

const bound = z
  .strictObject({ above: number.optional(), below: number.optional() })
  .refine((value) => value.above !== undefined || value.below !== undefined, {
    error: 'above, below, or both',
  });

const duration = z
  .string({ error: 'a duration such as 30m' })
  .refine((value) => parseDurationMs(value) !== undefined, {
    error: 'a duration such as 10s, 30m, 1h30m',
  });

const clause = z.strictObject({
  finding: ids.optional(),
  change: ids.optional(),
  healthy: ids.optional(),
  severity: z.enum(['warning', 'critical'], { error: 'warning, critical' }).optional(),
  about: kinds.optional(),
  measured: z.record(text, bound, { error: 'measurement: { above, below }' }).optional(),
  reachedFrom: name.optional(),
  before: name.optional(),
  within: duration.optional(),
});

const literal = z.union([z.string(), number, z.boolean(), z.strictObject({ text: z.string() })], {
  error: 'a reference such as leak.about.name, a number, true, false, or { text: … }',
});

const step = z.strictObject({
  remedy: id,
  on: name,
  with: z.record(text, literal, { error: 'parameter: value' }).optional(),
});

const texts = z.array(text, { error: 'a list of texts' });

/** The form of a playbook file. Unknown keys are errors; what the keys mean: playbook.ts. */
export const playbookSchema = z.strictObject({
  id: z
    .string({ error: 'a name in kebab-case, such as leak-since-rollout' })
    .regex(/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/, {
      error: 'a name in kebab-case, such as leak-since-rollout',
    }),
  title: text,
  says: text.optional(),
  match: z
    .record(name, clause, { error: 'clause: { finding | change | healthy: id, … }' })
    .refine((clauses) => Object.keys(clauses).length > 0, { error: 'at least one clause' }),
  path: z.strictObject({ from: name, to: kinds }).optional(),
  explains: z.array(id, { error: 'a list of ids' }).optional(),
  against: z
    .array(
      z.strictObject({
        finding: id,
        says: text.optional(),
        shows: text.optional(),
        when: z.enum(['linked', 'possible'], { error: 'linked, possible' }).optional(),
      }),
      { error: 'a list of { finding: id }' },
    )
    .optional(),
  unproven: texts.optional(),
  urgent: z
    .strictObject({ finding: id, shows: text, says: text, atZero: text.optional() })
    .optional(),
  relieve: z.array(step, { error: 'a list of { remedy, on }' }).optional(),
  cure: z.array(step, { error: 'a list of { remedy, on }' }).optional(),
  avoid: z
    .array(z.strictObject({ remedy: id, because: text }), {
      error: 'a list of { remedy, because }',
    })
    .optional(),
  reflect: texts.optional(),
});

export type PlaybookFile = z.infer<typeof playbookSchema>;
export type ClauseFile = z.infer<typeof clause>;

/** Keys by place, for the message that names what is allowed. `*`: any clause, any member of a list. */
export const ALLOWED_KEYS: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(playbookSchema.shape),
  'match.*': Object.keys(clause.shape),
  path: ['from', 'to'],
  'against.*': ['finding', 'says', 'shows', 'when'],
  urgent: ['finding', 'shows', 'says', 'atZero'],
  'relieve.*': Object.keys(step.shape),
  'cure.*': Object.keys(step.shape),
  'avoid.*': ['remedy', 'because'],
};
