/** What happened, in order: those who come late get all of it first. One writer, many readers. */
export class EventLog<T> {
  readonly #events: T[] = [];
  #end: { readonly error?: unknown } | undefined;
  #wake = Promise.withResolvers<undefined>();

  push(event: T): void {
    this.#events.push(event);
    this.#notify();
  }

  /** Readers end after the last event. */
  close(): void {
    this.#end ??= {};
    this.#notify();
  }

  /** Readers get the error after the last event. */
  fail(error: unknown): void {
    this.#end ??= { error };
    this.#notify();
  }

  get isClosed(): boolean {
    return this.#end !== undefined;
  }

  /** Ends early, without an error, when the signal aborts. */
  async *follow(signal: AbortSignal): AsyncGenerator<T> {
    const gone = Promise.withResolvers<undefined>();
    const leave = () => {
      gone.resolve(undefined);
    };
    signal.addEventListener('abort', leave, { once: true });
    try {
      for (let next = 0; !signal.aborted;) {
        const event = this.#events[next];
        if (event !== undefined) {
          next += 1;
          yield event;
        } else if (this.#end) {
          if ('error' in this.#end) throw this.#end.error;
          return;
        } else {
          await Promise.race([this.#wake.promise, gone.promise]);
        }
      }
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  #notify(): void {
    this.#wake.resolve(undefined);
    this.#wake = Promise.withResolvers<undefined>();
  }
}
