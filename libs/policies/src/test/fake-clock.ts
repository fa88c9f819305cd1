import type { Clock } from '../clock.ts';

/** A clock that moves only when told to. */
export interface FakeClock extends Clock {
  advance(byMs: number): void;
  /** Moves as while the event loop is blocked: what is due runs at the next advance, late. */
  block(byMs: number): void;
}

export function createFakeClock(startMs = 1_000_000): FakeClock {
  let nowMs = startMs;
  const due: { atMs: number; run: () => void }[] = [];
  return {
    nowMs: () => nowMs,
    wallTime: () => new Date(Date.UTC(2026, 0, 1) + nowMs),
    schedule(run, delayMs) {
      const entry = { atMs: nowMs + delayMs, run };
      due.push(entry);
      return () => {
        const index = due.indexOf(entry);
        if (index >= 0) due.splice(index, 1);
      };
    },
    block(byMs) {
      nowMs += byMs;
    },
    advance(byMs) {
      const untilMs = nowMs + byMs;
      for (;;) {
        let next: (typeof due)[number] | undefined;
        // of equal moments the one that was scheduled first
        for (const entry of due) {
          if (entry.atMs <= untilMs && (!next || entry.atMs < next.atMs)) next = entry;
        }
        if (!next) break;
        due.splice(due.indexOf(next), 1);
        nowMs = Math.max(nowMs, next.atMs);
        next.run();
      }
      nowMs = untilMs;
    },
  };
}
