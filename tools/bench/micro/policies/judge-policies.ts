import type { Goal } from '../../goals.ts';
import type { PoliciesBench } from './bench-policies.ts';
import { IDLE_GOALS, POLICY_GOALS, type PolicyGoal } from './policy-goals.ts';
import type { Laps } from './run-race.ts';

/** What is promised, beside what was measured. */
export function judgePolicies({ races, idle, idleCount }: PoliciesBench): readonly Goal[] {
  return [
    ...POLICY_GOALS.map((goal) => judge(goal, races)),
    ...[...idle]
      .filter(([who]) => who.startsWith('starr'))
      .flatMap(([who, { bytesEach, busyRatio }]) => [
        {
          says: `${idleCount} idle breakers (${who}): at most ${IDLE_GOALS.mostBytesEach} bytes each: ${bytesEach.toFixed(0)}`,
          isMet: bytesEach <= IDLE_GOALS.mostBytesEach,
        },
        {
          says: `${idleCount} idle breakers (${who}): no processor time to speak of: ${(busyRatio * 100).toFixed(2)} % of a core`,
          isMet: busyRatio <= IDLE_GOALS.mostBusyRatio,
        },
      ]),
  ];
}

function judge(goal: PolicyGoal, races: PoliciesBench['races']): Goal {
  switch (goal.kind) {
    case 'over': {
      const ns = overOf(races, goal.race) - (goal.lessRace ? overOf(races, goal.lessRace) : 0);
      const beyond = goal.lessRace ? `${goal.lessRace} alone` : 'the bare await';
      return {
        says: `${goal.race}: at most ${goal.mostNs} ns over ${beyond}: ${ns.toFixed(0)}`,
        isMet: ns <= goal.mostNs,
      };
    }
    case 'whole': {
      const ns = lapsOf(races, goal.race, 'starr').call.median;
      return {
        says: `${goal.race}: at most ${goal.mostNs} ns in all: ${ns.toFixed(0)}`,
        isMet: ns <= goal.mostNs,
      };
    }
    case 'ratio': {
      const ratio = ratioOf(races, goal.race, goal.rival);
      return {
        says: `${goal.race}: at most ${goal.most} times the overhead of ${goal.rival}: ${ratio.toFixed(2)}`,
        isMet: ratio <= goal.most,
      };
    }
  }
}

/** Our overhead as a share of the rival's, in the same run. */
export function ratioOf(races: PoliciesBench['races'], race: string, rival: string): number {
  return overOf(races, race) / overOf(races, race, rival);
}

function overOf(races: PoliciesBench['races'], race: string, who = 'starr'): number {
  return lapsOf(races, race, who).over.median;
}

function lapsOf(races: PoliciesBench['races'], race: string, who: string): Laps {
  const laps = races.get(race)?.get(who);
  if (!laps) throw new RangeError(`${who} did not run in ${race}`);
  return laps;
}
