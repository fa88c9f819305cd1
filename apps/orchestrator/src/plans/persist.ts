import { toDoctorError, type Clock, type DoctorError } from '@starr/kernel';

export interface PersistOptions {
  readonly clock: Clock;
  /** This process ends: the row is left to recovery. */
  readonly stopping: AbortSignal;
  /** Told once when it does not go through at first. */
  onAway(error: DoctorError): void;
  /** Default 10 minutes: then the row is left to recovery, which probes. */
  readonly giveUpAfterMs?: number;
}

const GIVE_UP_AFTER_MS = 10 * 60_000;
const PAUSE_MS = 500;

/**
 * What is known after an act must reach the store, however long the store is away: it is tried again until it does.
 * The write must be idempotent. Other errors than an absent store go through at once.
 */
export async function persist<T>(write: () => Promise<T>, options: PersistOptions): Promise<T> {
  const { clock } = options;
  const giveUpAtMs = clock.monotonicMs() + (options.giveUpAfterMs ?? GIVE_UP_AFTER_MS);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await write();
    } catch (thrown) {
      const error = toDoctorError(thrown);
      const isOver = options.stopping.aborted || clock.monotonicMs() > giveUpAtMs;
      if (error.code !== 'STORE_UNAVAILABLE' || isOver) throw error;
      if (attempt === 1) options.onAway(error);
      await clock.sleep(PAUSE_MS, options.stopping);
    }
  }
}
