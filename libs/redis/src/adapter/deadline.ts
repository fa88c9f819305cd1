import { DoctorError, type Limit } from '@starr/kernel';

/** When a look or an act as a whole must have ended, however many connections and commands it takes. */
export interface Deadline {
  readonly timeoutMs: number;
  /** Monotonic. */
  readonly atMs: number;
  readonly signal: AbortSignal;
  spend(what: string, amount: number): void;
}

export function deadlineFor(limit: Limit): Deadline {
  return {
    timeoutMs: limit.timeoutMs,
    atMs: performance.now() + limit.timeoutMs,
    signal: limit.signal,
    spend: (what, amount) => {
      limit.spend(what, amount);
    },
  };
}

/** For an act: time ends it, nobody's going away does. */
export function actDeadlineFor(limit: Limit): Deadline {
  return { ...deadlineFor(limit), signal: new AbortController().signal };
}

/**
 * The work, or EVIDENCE_TIMEOUT at the deadline after `onLate`, or WIRE_CANCELLED when the signal aborts. The work
 * itself goes on in both cases: `onLate` ends what it waits for.
 */
export async function within<T>(
  deadline: Deadline,
  where: string,
  work: () => Promise<T>,
  onLate: (late: DoctorError) => void,
): Promise<T> {
  if (deadline.signal.aborted) throw new DoctorError('WIRE_CANCELLED');
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => {
      const late = new DoctorError('EVIDENCE_TIMEOUT', {
        message: `${where}: no answer within ${deadline.timeoutMs} ms`,
        details: {
          cure: 'look at the process on its host: stopped, swapping, or busy with one long command',
        },
      });
      onLate(late);
      reject(late);
    },
    Math.max(0, deadline.atMs - performance.now()),
  );
  const cancelled = (): void => {
    reject(new DoctorError('WIRE_CANCELLED'));
  };
  deadline.signal.addEventListener('abort', cancelled, { once: true });
  try {
    return await Promise.race([work(), ended]);
  } finally {
    clearTimeout(timer);
    deadline.signal.removeEventListener('abort', cancelled);
  }
}
