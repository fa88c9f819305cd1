import { z } from 'zod';

/** The orchestrator's signed leave for one operation. Travels as base64url(JSON).base64url(Ed25519 signature over that first part). */
export const grantSchema = z.strictObject({
  v: z.literal(1),
  planHash: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  operationId: z.string().min(1).max(128),
  actor: z.string().min(1).max(256),
  reason: z.string().min(1).max(1024),
  /** RFC 3339, by the orchestrator's clock. */
  expiresAt: z.iso.datetime(),
});

export type Grant = z.infer<typeof grantSchema>;
