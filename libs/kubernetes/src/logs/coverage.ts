import { blindSpot, durationText, type BlindSpot, type Look } from '@starr/kernel';
import type { LogGroup } from './group-streams.ts';

/** Less than this before now shows no trend. */
const LEAST_MS = 60_000;

/**
 * Where a busy log reaches back so little that "new" cannot be told from "as ever": said, but only when there are errors
 * loud enough to ask the question.
 */
export function coverageBlindSpots(
  group: LogGroup,
  rules: { readonly sinceRolloutPerMinute: number },
  look: Look,
): readonly BlindSpot[] {
  const from = Math.min(...group.streams.map(({ covered }) => covered.from));
  const live = group.streams.filter(({ remembered }) => !remembered);
  const seenMs = look.now.getTime() - from;
  const cut = live.some(({ fromStart, previous }) => !fromStart && !previous);
  const errors = live.reduce((sum, stream) => sum + stream.errors.length, 0);
  const perMinute = seenMs > 0 ? (errors / seenMs) * 60_000 : 0;
  if (!cut || seenMs >= LEAST_MS || perMinute < rules.sinceRolloutPerMinute) return [];
  return [
    blindSpot(
      'truncated',
      `The newest log lines of ${group.name} reach back only ${durationText(seenMs)}: whether its ${Math.round(perMinute)} errors a minute are new cannot be told`,
    ),
  ];
}
