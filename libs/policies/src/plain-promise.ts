/** Of these `then` is the language's own: nothing of the caller's runs in it, and it costs least. */
export function isPlainPromise<T>(value: PromiseLike<T> | T): value is Promise<T> {
  return typeof value === 'object' && value !== null && value.constructor === Promise;
}

/**
 * Rejects after a turn of the microtasks. A promise that is rejected before anybody waits for it costs more than
 * all the rest of a rejection, since the runtime keeps a list of those; and so does a throw, which looks for where it
 * is.
 */
export function rejectLater(error: Error): Promise<never> {
  return new Promise((_, reject) => {
    void Promise.resolve().then(() => {
      reject(error);
    });
  });
}
