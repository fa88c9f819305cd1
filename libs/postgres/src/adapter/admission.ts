import type { Clock, DoctorError } from '@starr/kernel';
import type { Refusal, RefusedBy } from '../postgres-request.ts';
import { poolerTextOf } from './decode-pooler-text.ts';
import { refusedByFromText } from './decode-refusal.ts';
import { stateOf, textOf } from './pg-error.ts';

/** Refusals are evidence for a while, not for ever. */
const REFUSALS_KEPT = 100;

interface Remembered {
  readonly error: DoctorError;
  readonly refusal: Omit<Refusal, 'isStanding'>;
}

/**
 * The connects of ours that were refused, and whether the last first contact was one of them. Then no look of that sweep
 * tries again: nobody hammers a server that just turned us away, and each check says that very reason.
 */
export class Admission {
  readonly #clock: Clock;
  readonly #database: string;
  readonly #remembered: Remembered[] = [];
  #standing: Remembered | undefined;
  #usableSlots: number | undefined;

  constructor(clock: Clock, database: string) {
    this.#clock = clock;
    this.#database = database;
  }

  /** Newest last. */
  get refusals(): readonly Refusal[] {
    return this.#remembered.map((each) => ({
      ...each.refusal,
      isStanding: each === this.#standing,
    }));
  }

  /** A connect of `role` that failed; undefined: for another reason than a limit. */
  remember(error: DoctorError, role: string): Remembered | undefined {
    const by = refusedBy(error);
    if (by === undefined) return undefined;
    const remembered: Remembered = {
      error,
      refusal: {
        by,
        at: this.#clock.now(),
        role,
        database: this.#database,
        ...(this.#usableSlots !== undefined && { usableSlots: this.#usableSlots }),
      },
    };
    this.#remembered.push(remembered);
    if (this.#remembered.length > REFUSALS_KEPT) this.#remembered.shift();
    return remembered;
  }

  /** The first contact succeeded. */
  letIn(usableSlots: number): void {
    this.#standing = undefined;
    this.#usableSlots = usableSlots;
  }

  /** The first contact failed; whether it ran into a limit. One failure may be that of several contacts. */
  turnedAway(error: DoctorError, role: string): boolean {
    this.#standing =
      this.#remembered.findLast((each) => each.error === error) ?? this.remember(error, role);
    return this.#standing !== undefined;
  }

  /** Fails with the refusal that stands. */
  check(): void {
    if (this.#standing !== undefined) throw this.#standing.error;
  }
}

/** What a pooler passes on of its server's refusal has no SQLSTATE of its own. */
function refusedBy({ cause }: DoctorError): RefusedBy | undefined {
  const text = textOf(cause);
  if (stateOf(cause) === '53300') return refusedByFromText(text);
  const by = refusedByFromText(text);
  return by !== 'unknown' && poolerTextOf(text) !== undefined ? by : undefined;
}
