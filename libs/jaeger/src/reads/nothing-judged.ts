import { blindSpot, type BlindSpot } from '@starr/kernel';
import type { TraceSample } from './trace-sample.ts';

/** What keeps services from being judged: nothing came at all, or too little was read of a lot. */
export function notJudged(
  sample: TraceSample,
  judged: ReadonlySet<string>,
  withEntries: ReadonlySet<string>,
  minSpans: number,
): readonly BlindSpot[] {
  if (withEntries.size === 0)
    return [
      blindSpot(
        'no-history',
        'no requests in the traces of this window',
        'check that the services export their spans to this Jaeger',
      ),
    ];
  const unread = [...withEntries].filter(
    (service) => !judged.has(service) && sample.sampled.has(service),
  );
  if (unread.length === 0) return judged.size > 0 ? [] : [tooFew(withEntries, minSpans)];
  return [
    blindSpot(
      'truncated',
      `fewer than ${minSpans} requests of ${unread.join(', ')} are among the traces that were read, and there are more`,
    ),
  ];
}

/** A service with few requests beside others is no gap; where none has enough, nothing at all was judged. */
function tooFew(services: ReadonlySet<string>, minSpans: number): BlindSpot {
  return blindSpot(
    'no-history',
    `fewer than ${minSpans} requests of ${[...services].join(', ')} in the traces of this window: too few to judge`,
    'sweep again when there is more traffic',
  );
}
