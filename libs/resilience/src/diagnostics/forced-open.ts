import { durationText, maskText, type Change } from '@starr/kernel';
import type { BreakerView } from '../policy-view.ts';
import type { PolicyGroup } from './group-policies.ts';

/** Every call is turned away by hand, whatever the breaker itself would do: not stuck, and no reset helps. */
export function isForcedOpen({ override }: BreakerView): boolean {
  return override?.kind === 'force-open' || override?.kind === 'serve-stale';
}

/** Who forced it, in how many processes, until when; none where nobody did. */
export function forcedOpenOf({ about, service, members }: PolicyGroup<BreakerView>): Change[] {
  const forced = members.filter(({ policy }) => isForcedOpen(policy));
  const override = forced[0]?.policy.override;
  if (!override) return [];
  const share = `${forced.length} of ${members.length} processes of ${service}`;
  return [
    { about, at: override.since, says: `breaker ${about.name} is ${forcedBy(override, share)}` },
  ];
}

/** As in `forced open in 2 of 3 processes by anna for 60 s more: charges twice`. */
function forcedBy(override: NonNullable<BreakerView['override']>, share: string): string {
  const { kind, by, reason, leaseLeftMs } = override;
  const how = kind === 'serve-stale' ? 'made to serve stale answers' : 'forced open';
  return `${how} in ${share} by ${maskText(by)} for ${durationText(leaseLeftMs)} more: ${maskText(reason)}`;
}
