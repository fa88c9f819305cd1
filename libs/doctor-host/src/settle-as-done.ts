/** Yields the answers in the order in which they come. None of the promises may reject. */
export async function* settleAsDone<T>(work: readonly Promise<T>[]): AsyncGenerator<T> {
  const done: T[] = [];
  let wake: () => void = () => undefined;
  for (const each of work) {
    void each.then((value) => {
      done.push(value);
      wake();
    });
  }
  let yielded = 0;
  while (yielded < work.length) {
    while (done.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    const next = done.shift();
    yielded += 1;
    if (next !== undefined) yield next;
  }
}
