import { dateOf, type KubeEvent } from '../objects.ts';
import type { WarningsAnswer } from '../request.ts';

/** The newest Warning about an object. */
export interface Warning {
  readonly reason: string;
  readonly text: string;
  readonly at: Date;
  readonly count: number;
}

/** `Pod/shop/checkout-1` → its newest Warning. */
export type Warnings = ReadonlyMap<string, Warning>;

/** Newest by the field that the writer filled: an `events.k8s.io` event leaves lastTimestamp empty. */
export function warningsByObject(answer: WarningsAnswer): Warnings {
  const newest = new Map<string, Warning>();
  for (const event of answer.items) {
    const { kind = '', namespace = '', name = '' } = event.involvedObject ?? {};
    const at = momentOf(event);
    const key = `${kind}/${namespace}/${name}`;
    const known = newest.get(key);
    if (at === undefined || (known && known.at >= at)) continue;
    newest.set(key, {
      reason: event.reason ?? '',
      text: event.message ?? event.note ?? '',
      count: event.series?.count ?? event.count ?? 1,
      at,
    });
  }
  return newest;
}

export function podWarning(
  warnings: Warnings | undefined,
  namespace: string,
  pod: string,
): Warning | undefined {
  return warnings?.get(`Pod/${namespace}/${pod}`);
}

function momentOf(event: KubeEvent): Date | undefined {
  return (
    dateOf(event.series?.lastObservedTime) ??
    dateOf(event.lastTimestamp) ??
    dateOf(event.eventTime) ??
    dateOf(event.metadata?.creationTimestamp)
  );
}
