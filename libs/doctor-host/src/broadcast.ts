/** Events that anybody may follow from the beginning, however late he comes; ends with `close`. */
export class Broadcast<T> {
  readonly #events: T[] = [];
  #closed = false;
  #wake = Promise.withResolvers<undefined>();

  send(event: T): void {
    this.#events.push(event);
    this.#stir();
  }

  close(): void {
    this.#closed = true;
    this.#stir();
  }

  /** Ends with the signal: who goes away only detaches. */
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
        } else if (this.#closed) return;
        else await Promise.race([this.#wake.promise, gone.promise]);
      }
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  #stir(): void {
    this.#wake.resolve(undefined);
    this.#wake = Promise.withResolvers();
  }
}
