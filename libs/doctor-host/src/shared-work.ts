interface Flight {
  readonly startedAtMs: number;
  readonly work: Promise<unknown>;
  readonly abort: AbortController;
  waiting: number;
}

/**
 * Single flight: equal work that is under way is joined instead of repeated. It is aborted only when
 * the last one who waits for it has gone.
 */
export class SharedWork {
  readonly #flights = new Map<string, Flight>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** `notBeforeMs`: work that was started earlier does not count. `start` must not reject. */
  async join<T>(
    key: string,
    notBeforeMs: number,
    signal: AbortSignal,
    start: (signal: AbortSignal) => Promise<T>,
  ): Promise<{ value: T; shared: boolean }> {
    const running = this.#flights.get(key);
    const shared =
      running !== undefined && running.startedAtMs >= notBeforeMs && !running.abort.signal.aborted;
    const flight = shared ? running : this.#take(key, start);
    flight.waiting += 1;
    const leave = () => {
      flight.waiting -= 1;
      if (flight.waiting === 0) flight.abort.abort();
    };
    signal.addEventListener('abort', leave, { once: true });
    try {
      if (signal.aborted) leave();
      // The key decides the type: equal keys are equal reads.
      return { value: (await flight.work) as T, shared };
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  #take<T>(key: string, start: (signal: AbortSignal) => Promise<T>): Flight {
    const abort = new AbortController();
    const work = start(abort.signal).finally(() => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    });
    const flight: Flight = { startedAtMs: this.#nowMs(), work, abort, waiting: 0 };
    this.#flights.set(key, flight);
    return flight;
  }
}
