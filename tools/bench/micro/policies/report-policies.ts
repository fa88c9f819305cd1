import type { Spread } from '../../statistics.ts';
import type { PoliciesBench } from './bench-policies.ts';
import { judgePolicies, ratioOf } from './judge-policies.ts';

/** Nanoseconds of this machine today, and the ratios that can be compared. */
export function reportPolicies(bench: PoliciesBench): string {
  return [
    '',
    'Policies: nanoseconds of processor time a call, median (least–greatest) of the rounds; over: more than the bare await beside it',
    ...[...bench.races].flatMap(([race, laps]) =>
      [...laps].map(([who, { bare, call, over }]) => {
        const ratio = who === 'starr' ? '' : `, ours ${ratioOf(bench.races, race, who).toFixed(2)}`;
        return `  ${race.padEnd(12)} ${who.padEnd(18)} bare ${ns(bare)}, call ${ns(call)}, over ${ns(over)}${ratio}`;
      }),
    ),
    ...[...bench.idle].map(
      ([who, { bytesEach, busyRatio }]) =>
        `  idle         ${who.padEnd(18)} ${bytesEach.toFixed(0)} bytes each, ${(busyRatio * 100).toFixed(2)} % of a core for ${bench.idleCount}`,
    ),
    ...judgePolicies(bench).map(({ says, isMet }) => `  ${isMet ? 'met   ' : 'MISSED'} ${says}`),
  ].join('\n');
}

function ns({ median, min, max }: Spread): string {
  return `${median.toFixed(0)} (${min.toFixed(0)}–${max.toFixed(0)})`;
}
