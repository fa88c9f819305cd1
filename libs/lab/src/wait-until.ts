import { systemClock } from '@starr/kernel';

const LOOK_EVERY_MS = 50;

export interface WaitOptions {
  /** What the error says was waited for in vain. */
  readonly what: string;
  /** Default 10,000. */
  readonly withinMs?: number;
}

/**
 * Looks again and again until there is something to see, and returns it. A look that rejects counts as
 * nothing seen; its error is told when the time is over.
 */
export async function waitUntil<T>(
  look: () => Promise<T | undefined> | T | undefined,
  { what, withinMs = 10_000 }: WaitOptions,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  let trouble: unknown;
  for (;;) {
    try {
      const seen = await look();
      if (seen !== undefined) return seen;
    } catch (error) {
      trouble = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`${what}: not within ${withinMs} ms`, { cause: trouble });
    }
    await systemClock.sleep(LOOK_EVERY_MS);
  }
}
