// For applications that use other libraries: their breakers, queues and workers under the view of @starr/policies.
// A pg pool needs no adapter: `policies.watchPool` shows it whole.
export { adaptOpossum, type OpossumBucket, type OpossumLike } from './adapt-opossum.ts';
export {
  adaptCockatiel,
  type AdaptCockatielOptions,
  type CockatielBreakerLike,
  type CockatielFailure,
} from './adapt-cockatiel.ts';
export {
  adaptPQueue,
  type AdaptedQueue,
  type AdaptPQueueOptions,
  type PQueueLike,
} from './adapt-p-queue.ts';
export {
  adaptBullWorker,
  type AdaptBullWorkerOptions,
  type AdaptedBullWorker,
  type BullQueueLike,
  type BullWorkerLike,
} from './adapt-bull-worker.ts';
export { AdaptedBreaker, type AdaptBreakerOptions } from './adapted-breaker.ts';
export {
  withoutBound,
  type AdaptedBreakerSnapshot,
  type AdaptedPolicy,
  type AdaptedQueueSnapshot,
  type Limited,
} from './adapted.ts';
