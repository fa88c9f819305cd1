import type { Clock } from './clock.ts';
import type { TouchNote, Touched } from './evidence.ts';
import type { Retuned, Touch } from './retuned.ts';

const maxTouches = 4;

/** Who changed a policy by hand. */
export class Touches {
  readonly #clock: Clock;
  #notes: readonly TouchNote[] = [];
  #version: string | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Passes on what a retune did, and notes who it was unless it was refused. */
  noteRetune<S>(retuned: Retuned<S>, touch: Touch | undefined): Retuned<S> {
    if (retuned.kind === 'refused' || touch === undefined) return retuned;
    this.#version = touch.version ?? this.#version;
    const note = noteOf('retune', touch, this.#clock.wallTime());
    this.#notes = withNewest(this.#notes, note);
    return retuned;
  }

  /** For the snapshot. */
  show(): Touched {
    return {
      ...(this.#version !== undefined && { policyVersion: this.#version }),
      ...(this.#notes.length > 0 && { touches: this.#notes }),
    };
  }
}

export function noteOf(what: TouchNote['what'], { by, reason }: Touch, at: Date): TouchNote {
  return { what, by, ...(reason !== undefined && { reason }), at };
}

/** The newest first; the oldest is forgotten. */
export function withNewest(notes: readonly TouchNote[], newest: TouchNote): readonly TouchNote[] {
  return [newest, ...notes.slice(0, maxTouches - 1)];
}
