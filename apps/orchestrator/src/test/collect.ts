/** All events of a stream. */
export async function collect<T>(events: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const event of events) all.push(event);
  return all;
}

export async function untilTrue(
  check: () => boolean | Promise<boolean>,
  withinMs = 10_000,
): Promise<void> {
  const giveUpAtMs = performance.now() + withinMs;
  while (!(await check())) {
    if (performance.now() > giveUpAtMs)
      throw new Error(`not within ${withinMs} ms: ${check.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The error's code, or what came instead. */
export async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'no error',
    (thrown: unknown) => (thrown as { code: unknown }).code,
  );
}
