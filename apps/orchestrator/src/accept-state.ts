import type { Clock } from '@starr/kernel';
import type { Store } from '@starr/store';
import type { AcceptStateRequest } from '@starr/wire';
import type { DoctorRoster } from './doctors/doctor-roster.ts';
import { checkReason } from './plans/check-reason.ts';
import { invalidField } from './sweep/sweep-request.ts';

const MOST_DAYS = 366;
const DAY_MS = 86_400_000;
const DESCRIBE_WITHIN_MS = 700;

export interface AcceptContext {
  readonly roster: DoctorRoster;
  readonly clock: Clock;
}

/** Silences a finding visibly. WIRE_INVALID: an id or target that no doctor has, a day that is past or too far. */
export async function acceptState(
  store: Store,
  context: AcceptContext,
  request: AcceptStateRequest,
  actor: string,
): Promise<void> {
  await checkKnown(context.roster, request);
  const reason = checkReason(request.reason);
  const aheadMs = request.until.getTime() - context.clock.now().getTime();
  if (!(aheadMs > 0 && aheadMs <= MOST_DAYS * DAY_MS))
    throw invalidField(
      'until',
      Number.isNaN(aheadMs) ? 'no date' : request.until.toISOString(),
      `a moment within the next ${MOST_DAYS} days`,
    );
  const { diagnostic, target, until } = request;
  await store.accepted.accept({ diagnostic, target, until, reason, acceptedBy: actor });
  await store.audit.append({
    actor,
    action: 'state.accept',
    subject: `${diagnostic} ${target}`,
    reason,
    details: { until: until.toISOString() },
  });
}

/** False: none was in force. */
export async function revokeState(
  store: Store,
  { diagnostic, target }: { diagnostic: string; target: string },
  actor: string,
): Promise<boolean> {
  const wasInForce = await store.accepted.revoke(diagnostic, target);
  if (wasInForce)
    await store.audit.append({
      actor,
      action: 'state.revoke',
      subject: `${diagnostic} ${target}`,
    });
  return wasInForce;
}

/** A typing error would silence nothing and say nothing. */
async function checkKnown(
  roster: DoctorRoster,
  { diagnostic, target }: AcceptStateRequest,
): Promise<void> {
  const described = (await roster.described(DESCRIBE_WITHIN_MS)).flatMap(
    ({ description }) => description ?? [],
  );
  const owner = described.find((each) => each.diagnostics.some(({ id }) => id === diagnostic));
  const ids = described.flatMap((each) => each.diagnostics.map(({ id }) => id));
  if (owner === undefined) throw invalidField('diagnostic', diagnostic, ids.join(', '));
  const targets = owner.targets.map(({ name }) => name);
  if (!targets.includes(target)) throw invalidField('target', target, targets.join(', '));
}
