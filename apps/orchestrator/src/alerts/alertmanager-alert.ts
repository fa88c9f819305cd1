import { z } from 'zod';

const MOST_ALERTS = 1000;

/** What Alertmanager posts (webhook version 4), as far as it is used here; other members are left alone. */
const payloadSchema = z.object({
  version: z.literal('4'),
  groupKey: z.string().min(1).max(4096),
  status: z.enum(['firing', 'resolved']),
  alerts: z
    .array(
      z.object({
        status: z.enum(['firing', 'resolved']),
        labels: z.record(z.string(), z.string()),
        startsAt: z.iso.datetime({ offset: true }),
      }),
    )
    .min(1)
    .max(MOST_ALERTS),
});

/** A group of alerts that belong together. */
export interface AlertGroup {
  /** Equal keys are the same trouble, told again. */
  readonly key: string;
  readonly isFiring: boolean;
  /** alertname; several of them joined by commas. */
  readonly name: string;
  /** When the first of those that fire began to. */
  readonly firedAt: string;
}

export type ParsedAlert =
  { readonly ok: true; readonly group: AlertGroup } | { readonly ok: false; readonly says: string };

export function parseAlert(text: string): ParsedAlert {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { ok: false, says: 'the body is no JSON' };
  }
  const parsed = payloadSchema.safeParse(body);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue?.path.map(String).join('.') ?? '';
    return {
      ok: false,
      says: `${where === '' ? 'the body' : where}: ${issue?.message ?? 'not valid'}`,
    };
  }
  const { groupKey, status, alerts } = parsed.data;
  const firing = alerts.filter((alert) => alert.status === 'firing');
  const shown = firing.length > 0 ? firing : alerts;
  const names = new Set(shown.map(({ labels }) => labels['alertname'] ?? 'unnamed'));
  const [firedAt = ''] = shown.map(({ startsAt }) => new Date(startsAt).toISOString()).sort();
  return {
    ok: true,
    group: {
      key: groupKey,
      isFiring: status === 'firing',
      name: [...names].sort().join(',').slice(0, 256),
      firedAt,
    },
  };
}
