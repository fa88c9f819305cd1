import { isBlindSpot, statusOf, toDoctorError, type CheckResult, type Clock } from '@starr/kernel';
import type { Store } from '@starr/store';
import type { HealthView, ServiceHealthView, SweepEvent, TargetHealthView } from '@starr/wire';
import type { DescribedMember, DoctorRoster } from '../doctors/doctor-roster.ts';
import { needStore } from '../need-store.ts';

export interface HealthContext {
  readonly roster: DoctorRoster;
  readonly store: Store | undefined;
  readonly clock: Clock;
  /** A sweep over everything, shared with whoever else asks for one. */
  readonly sweep: (signal: AbortSignal) => AsyncIterable<SweepEvent>;
}

const DESCRIBE_WITHIN_MS = 2000;

/** Services by asking them; targets by a sweep, since only that shows whether they can be seen. */
export async function checkHealth(
  context: HealthContext,
  signal: AbortSignal,
): Promise<HealthView> {
  const [described, store, results] = await Promise.all([
    context.roster.describedNow(DESCRIBE_WITHIN_MS),
    storeHealth(context),
    resultsOf(context.sweep(signal)),
  ]);
  return {
    services: [...described.map(serviceHealth), store],
    targets: described.flatMap((each) => targetsHealth(each, results)),
  };
}

async function resultsOf(events: AsyncIterable<SweepEvent>): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  for await (const event of events) if (event.kind === 'check') results.push(event.result);
  return results;
}

function serviceHealth({ member, away, description }: DescribedMember): ServiceHealthView {
  return {
    name: member.name,
    isServing: away === undefined && description !== undefined,
    says: away?.detail ?? '',
    ...(member.address !== undefined && { address: member.address }),
  };
}

async function storeHealth({ store, clock }: HealthContext): Promise<ServiceHealthView> {
  const startedMs = clock.monotonicMs();
  try {
    await needStore(store).ping();
    return {
      name: 'store',
      isServing: true,
      says: '',
      tookMs: clock.monotonicMs() - startedMs,
    };
  } catch (thrown) {
    return { name: 'store', isServing: false, says: toDoctorError(thrown).rawMessage };
  }
}

function targetsHealth(
  { member, description }: DescribedMember,
  results: readonly CheckResult[],
): readonly TargetHealthView[] {
  return (description?.targets ?? []).map((target) => {
    const own = results.filter((result) => result.target === target.name);
    const blind = own.filter(({ verdict }) => statusOf(verdict) === 'blind');
    const spot = blind[0]?.verdict.blind?.find(isBlindSpot);
    return {
      name: target.name,
      kind: target.kind,
      doctor: member.name,
      isSeen: blind.length < own.length,
      blindChecks: blind.length,
      checks: own.length,
      says: spot?.detail ?? '',
      acts: target.acts,
      ...(spot?.cure !== undefined && { cure: spot.cure }),
    };
  });
}
