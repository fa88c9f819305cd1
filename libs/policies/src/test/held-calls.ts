export interface HeldCalls {
  /** A call that stays out until it is told how to end; they are numbered from 0 in the order of their beginning. */
  readonly begin: () => Promise<string>;
  succeed(number: number): void;
  fail(number: number, error?: Error): void;
  /** How many began and have not ended. */
  out(): number;
  begun(): number;
}

/** The guarded work of a spec: each call ends when, and as, the spec says. */
export function calls(): HeldCalls {
  const held: ReturnType<typeof Promise.withResolvers<string>>[] = [];
  let ended = 0;
  const end = (number: number) => {
    const call = held[number];
    if (!call) throw new Error(`call ${number} has not begun`);
    ended++;
    return call;
  };
  return {
    begin: () => {
      const call = Promise.withResolvers<string>();
      held.push(call);
      return call.promise;
    },
    succeed: (number) => {
      end(number).resolve('done');
    },
    fail: (number, error = new Error('down')) => {
      end(number).reject(error);
    },
    out: () => held.length - ended,
    begun: () => held.length,
  };
}
