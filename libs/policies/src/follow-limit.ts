import type { AdaptiveConcurrency } from './adaptive-concurrency.ts';
import type { WorkQueue } from './work-queue.ts';

/**
 * Lets calls wait for an adaptive limit instead of being refused by it: the queue, whose works call through
 * `concurrency`, has as many workers as that lets in. It has them from now on, and changes with each decision; a
 * change of `maxWorkers` by hand lasts until the next one. Returns how to stop it.
 */
export function followLimit(queue: WorkQueue, concurrency: AdaptiveConcurrency): () => void {
  const follow = () => {
    queue.retune({ maxWorkers: concurrency.limit });
  };
  follow();
  return concurrency.onDecision(follow);
}
