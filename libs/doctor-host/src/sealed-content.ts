import { z } from 'zod';
import type { Json } from '@starr/kernel';

const json = z.json() as z.ZodType<Json>;

/** What a plan's seal holds: the acts, which nobody outside the doctor needs to understand. */
export const planContentSchema = z.strictObject({
  v: z.literal(1),
  doctor: z.string(),
  /** One life of one process: it alone knows what it tombstoned. */
  life: z.string(),
  remedy: z.string(),
  target: z.string(),
  hash: z.string(),
  expiresAt: z.string(),
  operations: z.array(
    z.strictObject({
      id: z.string(),
      says: z.string(),
      act: json,
      isLong: z.boolean().optional(),
    }),
  ),
});
export type PlanContent = z.infer<typeof planContentSchema>;
export type SealedAct = PlanContent['operations'][number];

/** What a receipt's seal holds. */
export const receiptContentSchema = z.strictObject({
  v: z.literal(1),
  doctor: z.string(),
  operationId: z.string(),
  remedy: z.string(),
  target: z.string(),
  act: json,
  before: json,
  after: json,
  appliedAt: z.string(),
});
export type ReceiptContent = z.infer<typeof receiptContentSchema>;
