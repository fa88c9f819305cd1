import { DoctorError, toDoctorError } from '@starr/kernel';
import type { ApprovePlanRequest, PlanView } from '@starr/wire';
import { needStore } from '../need-store.ts';
import { invalidField } from '../sweep/sweep-request.ts';
import { storeAway } from './by-hand.ts';
import { checkReason } from './check-reason.ts';
import type { PlanContext } from './plan-context.ts';
import { planView } from './plan-view.ts';

const STANDARD_VALID_MS = 10 * 60_000;
const VALID_MS = { least: 10_000, most: 24 * 3_600_000 };

/** Binds an approval to exactly this hash. PLAN_NOT_APPROVED: another hash, or not to be approved any more. */
export async function approvePlan(
  context: PlanContext,
  request: ApprovePlanRequest,
  actor: string,
): Promise<PlanView> {
  const hash = checkHash(request.hash);
  const reason = checkReason(request.reason);
  const validMs = request.validForMs ?? STANDARD_VALID_MS;
  if (!(validMs >= VALID_MS.least && validMs <= VALID_MS.most))
    throw invalidField('valid_for', validMs, `${VALID_MS.least} to ${VALID_MS.most} milliseconds`);
  try {
    const store = needStore(context.store);
    checkSealAge(context, request.plan, (await store.plans.get(request.plan))?.sealed?.expiresAt);
    const plan = await store.plans.approve(request.plan, {
      hash,
      actor,
      reason,
      validMs,
    });
    context.recent.keep(plan);
    return planView(plan, []);
  } catch (thrown) {
    const error = toDoctorError(thrown);
    if (error.code !== 'STORE_UNAVAILABLE') throw error;
    throw storeAway(error, context.recent.get(request.plan)?.sealed);
  }
}

/** The doctor would refuse it; better said before somebody waits for it. */
function checkSealAge({ clock }: PlanContext, id: string, expiresAt: Date | undefined): void {
  if (expiresAt === undefined || expiresAt > clock.now()) return;
  throw new DoctorError('PLAN_NOT_APPROVED', {
    message: `${id} could be applied until ${expiresAt.toISOString()}; plan it anew.`,
    details: { plan: id },
  });
}

export function checkHash(hash: string): string {
  if (/^sha256:[0-9a-f]{64}$/.test(hash)) return hash;
  throw invalidField('hash', hash, 'sha256: and 64 hex digits, as the plan shows it');
}
