/** Something made wrong on purpose, with real effect on a real server. */
export interface Fault extends AsyncDisposable {
  /** What a person would say is wrong. */
  readonly says: string;
  /** Takes it away. Ending twice, or after the server is gone, is no error. */
  end(): Promise<void>;
}

export function faultFrom(says: string, undo: () => Promise<unknown>): Fault {
  let ended: Promise<void> | undefined;
  const end = (): Promise<void> =>
    (ended ??= undo().then(
      () => undefined,
      () => undefined, // the server went first, and the fault with it
    ));
  return { says, end, [Symbol.asyncDispose]: end };
}
