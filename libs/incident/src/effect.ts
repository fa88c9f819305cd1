import type { Effect, Entity } from '@starr/kernel';
import { measurementText } from './measurement-text.ts';

/** A measurement that must be where it belongs while an effect holds, such as users' errors. */
export interface Guard {
  readonly diagnostic: string;
  readonly about: Entity;
  readonly measurement: string;
  /** Strictly below; absent: no bound. */
  readonly below?: number;
  /** Strictly above; absent: no bound. */
  readonly above?: number;
  /** `users: errors of checkout`. */
  readonly says: string;
}

/** A number, or why there is none. */
export type Reading =
  | { readonly state: 'seen'; readonly value: number }
  | { readonly state: 'blind'; readonly says: string };

/** One look at the effect and its guards. */
export interface EffectSample {
  /** When the oldest evidence in it was taken, in our clock. */
  readonly at: Date;
  readonly effect: Reading;
  /** In the order of the guards. */
  readonly guards: readonly Reading[];
  /** What the effect's diagnostic found at that look, in its words: who keeps the number up. Absent: nothing. */
  readonly found?: readonly string[];
}

export interface EffectWatch {
  readonly effect: Effect;
  /** Default: none. */
  readonly guards?: readonly Guard[];
  /** The measurement before the act; absent: not known, and then nothing can be called worse. */
  readonly baseline?: number;
  /** In any order. */
  readonly samples: readonly EffectSample[];
  readonly now: Date;
  /** When the last operation of the plan was applied, in our clock. */
  readonly lastActAt: Date;
}

/**
 * `settling`: too early to judge. `waiting`: not reached yet. `holding`: reached, but not for long enough.
 * Final: `established`; `missed`; `worse`, missed and measurably worse than before the act; `not-established`, the
 * deadline passed and what would decide could not be seen.
 */
export type EffectState =
  'settling' | 'waiting' | 'holding' | 'established' | 'missed' | 'worse' | 'not-established';

export interface EffectJudgement {
  readonly state: EffectState;
  readonly isFinal: boolean;
  /** In a sentence with numbers. */
  readonly says: string;
  /** The last number seen after the act; absent: none. */
  readonly value?: number;
  /** Since when all conditions hold without a gap; absent: they do not. */
  readonly since?: Date;
  /** When the judgement may change without a new sample: the end of settling, or the deadline. */
  readonly until: Date;
}

/** A number this much beyond its baseline is worse, and not only jitter. */
const WORSE_RATIO = 0.1;
/** So many samples at least make a hold: two ends alone say nothing of what was between. */
const LEAST_SAMPLES = 3;
/** Of the time to hold: a pause in looking that is longer breaks the hold, since nobody saw what was then. */
const LONGEST_PAUSE = 0.75;

/** Pure: the same samples at the same moment give the same judgement. Evidence from before the act does not count. */
export function judgeEffect(watch: EffectWatch): EffectJudgement {
  const { effect, now, lastActAt } = watch;
  const settledAt = later(lastActAt, effect.settleMs);
  const deadline = later(lastActAt, effect.withinMs);
  if (now.getTime() < settledAt.getTime()) {
    return { state: 'settling', isFinal: false, says: 'the act settles', until: settledAt };
  }
  const samples = watch.samples
    .filter(({ at }) => at.getTime() >= settledAt.getTime() && at.getTime() <= now.getTime())
    .sort((a, b) => a.at.getTime() - b.at.getTime());
  const value = samples.findLast((sample) => sample.effect.state === 'seen')?.effect;
  const seen = value?.state === 'seen' ? { value: value.value } : {};
  const established = firstHold(samples, watch, deadline);
  if (established !== undefined) {
    return {
      state: 'established',
      isFinal: true,
      says: `${effectText(effect)} for ${seconds(established.forMs)}`,
      since: established.since,
      until: deadline,
      ...seen,
    };
  }
  if (now.getTime() < deadline.getTime()) {
    const run = runAtEnd(samples, watch);
    const [first] = run;
    if (first === undefined)
      return {
        state: 'waiting',
        isFinal: false,
        says: missText(samples, watch),
        until: deadline,
        ...seen,
      };
    return {
      state: 'holding',
      isFinal: false,
      says: `${effectText(effect)}, to hold for ${seconds(effect.holdMs)}`,
      since: first.at,
      until: deadline,
      ...seen,
    };
  }
  return { ...ended(samples, watch), isFinal: true, until: deadline, ...seen };
}

/** The bound of an effect or a guard in words: `usedSlots below 80`. */
export function effectText({
  measurement,
  below,
  above,
}: Pick<Guard, 'measurement' | 'below' | 'above'>): string {
  const bounds = [
    ...(below === undefined ? [] : [`below ${below}`]),
    ...(above === undefined ? [] : [`above ${above}`]),
  ];
  return `${measurement} ${bounds.join(' and ')}`;
}

type Fit = 'good' | 'bad' | 'blind';

function fitOf(sample: EffectSample, { effect, guards = [] }: EffectWatch): Fit {
  const fits = [effect, ...guards].map((bound, index) => {
    const reading = index === 0 ? sample.effect : sample.guards[index - 1];
    if (reading?.state !== 'seen') return 'blind';
    return isWithin(reading.value, bound) ? 'good' : 'bad';
  });
  if (fits.includes('bad')) return 'bad';
  return fits.includes('blind') ? 'blind' : 'good';
}

function isWithin(value: number, { below, above }: Pick<Guard, 'below' | 'above'>): boolean {
  return (below === undefined || value < below) && (above === undefined || value > above);
}

/** The first unbroken run that is long and dense enough, begun before the deadline can no longer be met. */
function firstHold(
  samples: readonly EffectSample[],
  watch: EffectWatch,
  deadline: Date,
): { readonly since: Date; readonly forMs: number } | undefined {
  const least = watch.effect.holdMs === 0 ? 1 : LEAST_SAMPLES;
  let run: EffectSample[] = [];
  for (const sample of samples) {
    if (sample.at.getTime() > deadline.getTime()) return undefined;
    const fits = fitOf(sample, watch) === 'good';
    run = !fits ? [] : isPaused(run.at(-1), sample, watch) ? [sample] : [...run, sample];
    const [first] = run;
    if (first === undefined) continue;
    const forMs = sample.at.getTime() - first.at.getTime();
    if (forMs >= watch.effect.holdMs && run.length >= least) return { since: first.at, forMs };
  }
  return undefined;
}

function runAtEnd(samples: readonly EffectSample[], watch: EffectWatch): readonly EffectSample[] {
  const broken = samples.findLastIndex((sample) => fitOf(sample, watch) !== 'good');
  const good = samples.slice(broken + 1);
  const resumed = good.findLastIndex((sample, index) => isPaused(good[index - 1], sample, watch));
  return good.slice(Math.max(resumed, 0));
}

function isPaused(
  before: EffectSample | undefined,
  sample: EffectSample,
  { effect }: EffectWatch,
): boolean {
  if (before === undefined) return false;
  return sample.at.getTime() - before.at.getTime() > effect.holdMs * LONGEST_PAUSE;
}

function ended(
  samples: readonly EffectSample[],
  watch: EffectWatch,
): Pick<EffectJudgement, 'state' | 'says'> {
  const says = missText(samples, watch);
  if (!samples.some((sample) => fitOf(sample, watch) === 'bad'))
    return {
      state: 'not-established',
      says: samples.length === 0 ? 'nothing was seen after the act' : says,
    };
  const last = samples.findLast((sample) => sample.effect.state === 'seen')?.effect;
  if (last?.state === 'seen' && isWorse(last.value, watch)) {
    return {
      state: 'worse',
      says: `${says}; before the act it was ${String(watch.baseline)}${whoText(samples)}`,
    };
  }
  // Reached and lost is another story than never reached: the act worked, and what it took away came back.
  const cameBack = samples.some((sample) => fitOf(sample, watch) === 'good');
  return {
    state: 'missed',
    says: `${cameBack ? 'it was reached, and came back: ' : ''}${says}${whoText(samples)}`,
  };
}

function whoText(samples: readonly EffectSample[]): string {
  const found = samples.at(-1)?.found ?? [];
  return found.length === 0 ? '' : ` (${found.join('; ')})`;
}

function isWorse(value: number, { effect, baseline }: EffectWatch): boolean {
  if (baseline === undefined) return false;
  const margin = Math.abs(baseline) * WORSE_RATIO;
  return effect.below !== undefined ? value > baseline + margin : value < baseline - margin;
}

/** What the last sample misses, effect first. */
function missText(samples: readonly EffectSample[], { effect, guards = [] }: EffectWatch): string {
  const last = samples.at(-1);
  if (last === undefined) return 'no look since the act has settled';
  const misses = [effect, ...guards].flatMap((bound, index) => {
    const reading = index === 0 ? last.effect : last.guards[index - 1];
    const name = 'says' in bound ? bound.says : bound.measurement;
    if (reading?.state !== 'seen')
      return [`${name}: could not look: ${reading?.says ?? 'not read'}`];
    return isWithin(reading.value, bound)
      ? []
      : [`${name}: ${measurementText(reading.value, undefined)}, wanted ${effectText(bound)}`];
  });
  return misses.length === 0
    ? `${effectText(effect)}, but not for ${seconds(effect.holdMs)}`
    : misses.join('; ');
}

function later(at: Date, ms: number): Date {
  return new Date(at.getTime() + ms);
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
