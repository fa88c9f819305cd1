import {
  isBlindSpot,
  sameEntity,
  statusOf,
  type BlindSpot,
  type CheckResult,
  type Effect,
} from '@starr/kernel';
import type { EffectSample, Guard, Reading } from './effect.ts';

/** Enough to say who is behind it. */
const MOST_FOUND = 2;

/** What one examination says of an effect. A measurement that is not there is no zero. */
export function readSample(
  effect: Effect,
  guards: readonly Guard[],
  results: readonly CheckResult[],
): EffectSample | undefined {
  const wanted = [effect, ...guards];
  const used = results.filter(({ diagnostic }) =>
    wanted.some((one) => one.diagnostic === diagnostic),
  );
  if (used.length === 0) return undefined;
  return {
    at: new Date(Math.min(...used.map(({ observedFrom }) => observedFrom.getTime()))),
    effect: readingOf(effect, results),
    guards: guards.map((guard) => readingOf(guard, results)),
    ...foundBy(effect, used),
  };
}

function foundBy(
  { diagnostic }: Effect,
  results: readonly CheckResult[],
): Pick<EffectSample, 'found'> {
  const found = results
    .filter((result) => result.diagnostic === diagnostic)
    .flatMap(({ verdict }) => verdict.findings ?? [])
    .slice(0, MOST_FOUND)
    .map(({ says }) => says);
  return found.length === 0 ? {} : { found };
}

function readingOf(
  wanted: Pick<Guard, 'diagnostic' | 'about' | 'measurement'>,
  results: readonly CheckResult[],
): Reading {
  const asked = results.filter(({ diagnostic }) => diagnostic === wanted.diagnostic);
  const found = asked
    .flatMap(({ verdict }) => verdict.measured)
    .find(({ name, about }) => name === wanted.measurement && sameEntity(about, wanted.about));
  if (found !== undefined) return { state: 'seen', value: found.value };
  const spot = asked.flatMap(({ verdict }) => verdict.blind ?? [])[0];
  return {
    state: 'blind',
    says: spot === undefined ? notMeasured(wanted, asked) : blindText(spot),
  };
}

function notMeasured(
  { diagnostic, measurement }: Pick<Guard, 'diagnostic' | 'measurement'>,
  asked: readonly CheckResult[],
): string {
  const status = asked.map(({ verdict }) => statusOf(verdict))[0];
  return status === undefined
    ? `${diagnostic} gave no result`
    : `${diagnostic} is ${status} and did not measure ${measurement}`;
}

function blindText(spot: BlindSpot): string {
  return isBlindSpot(spot) ? `${spot.detail} (${spot.why})` : 'not seen';
}
