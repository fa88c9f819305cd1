import { checkRatio } from './check-option.ts';
import { monotonicClock, type Clock } from './clock.ts';
import type { BackpressureSnapshot } from './flow-snapshots.ts';
import { ForcedState, type ForceOptions } from './forced-state.ts';
import { PolicyError } from './policy-error.ts';
import { retuneSettings } from './retune-settings.ts';
import type { Retuned, Touch } from './retuned.ts';
import type { Slowable } from './slow-downs.ts';
import { Touches } from './touches.ts';

/** Something that can be full: a WorkQueue, or whatever tells a share of its size. */
export interface Fillable {
  /** Of a policy: so that interlocks know that it moves the backpressure. */
  readonly kind?: string;
  readonly name?: string;
  /** 0: empty, 1: full; above 1 after a shrink. */
  readonly utilisation: number;
  /** Calls after each change of the utilisation. Absent: `check()` must be called. Returns how to stop it. */
  onUtilisation?(listener: () => void): () => void;
}

export interface BackpressureOptions {
  readonly watches: Fillable;
  /** What it slows down while it is engaged: a RateLimit in front of what it watches. */
  readonly slows: Slowable;
  /** Engages at or above this utilisation. Default 0.8. */
  readonly engageAtRatio?: number;
  /** Releases at or below this utilisation; below `engageAtRatio`, or it would flutter. Default 0.6. */
  readonly releaseAtRatio?: number;
  /** Share of the usual rate while it is engaged. Default 0.5. */
  readonly slowToRatio?: number;
  readonly clock?: Clock;
}

export type BackpressureSettings = Required<
  Pick<BackpressureOptions, 'engageAtRatio' | 'releaseAtRatio' | 'slowToRatio'>
>;

export type BackpressureState = BackpressureSnapshot['state'];

/** Told after each change. */
export type BackpressureListener = (state: BackpressureState, utilisation: number) => void;

/** Slows down what comes while something behind it is nearly full, until it is well below that again. */
export class Backpressure {
  readonly kind = 'backpressure';
  readonly name: string;
  readonly #watches: Fillable;
  readonly #slows: Slowable;
  readonly #clock: Clock;
  readonly #holder: string;
  readonly #listeners = new Set<BackpressureListener>();
  readonly #forced: ForcedState<BackpressureState>;
  readonly #stopWatching: (() => void) | undefined;
  readonly #touches: Touches;
  #settings: BackpressureSettings;
  #state: BackpressureState = 'released';
  #enteredAtMs: number;
  #since: Date;
  #engagements = 0;
  #stopped = false;

  /** Throws PolicyError `invalid-option`. */
  constructor(name: string, options: BackpressureOptions) {
    this.name = name;
    this.#settings = parseSettings(name, options);
    this.#watches = options.watches;
    this.#slows = options.slows;
    this.#clock = options.clock ?? monotonicClock;
    this.#touches = new Touches(this.#clock);
    this.#forced = new ForcedState(this.#clock);
    this.#holder = `backpressure:${name}`;
    this.#enteredAtMs = this.#clock.nowMs();
    this.#since = this.#clock.wallTime();
    this.#stopWatching = options.watches.onUtilisation?.(() => this.check());
    this.check();
  }

  get settings(): BackpressureSettings {
    return this.#settings;
  }

  /** What it makes act on what, as `kind:name` of cause and effect: interlocks are checked for cycles with these. */
  get couplings(): readonly (readonly [cause: string, effect: string])[] {
    const { kind, name } = this.#watches;
    const id = `${this.kind}:${this.name}`;
    const slows = [id, `${this.#slows.kind}:${this.#slows.name}`] as const;
    if (kind === undefined || name === undefined) return [slows];
    return [[`${kind}:${name}`, id], slows];
  }

  get state(): BackpressureState {
    return this.check();
  }

  /** Looks at the utilisation and engages or releases. Needs to be called only when `watches` does not tell. */
  check(): BackpressureState {
    if (this.#stopped) return this.#state;
    const { utilisation } = this.#watches;
    const to = this.#forced.to ?? this.#automatic(utilisation);
    if (to !== this.#state) this.#enter(to, utilisation);
    return this.#state;
  }

  /** Holds a state by hand; when the time has passed, or on `unforce`, the utilisation decides again. */
  force(to: BackpressureState, options: ForceOptions): void {
    this.#forced.hold(this.name, to, options);
    this.check();
  }

  /** False when nothing was held. */
  unforce(): boolean {
    const held = this.#forced.release();
    this.check();
    return held;
  }

  /**
   * The thresholds count from the next look on; `slowToRatio` counts at once when it is engaged.
   */
  retune(change: Partial<BackpressureSettings>, touch?: Touch): Retuned<BackpressureSettings> {
    const retuned = retuneSettings(this.#settings, change, (wanted) => {
      this.#settings = parseSettings(this.name, wanted);
      if (this.#state === 'engaged' && !this.#stopped) this.#slowDown();
      return this.#settings;
    });
    return this.#touches.noteRetune(retuned, touch);
  }

  /** Called after each change; what it throws is dropped. Returns how to stop it. */
  onChange(listener: BackpressureListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Watches no more, for good, and lets go of what it slowed down. The state stays as it was. */
  stop(): void {
    this.#stopped = true;
    this.#stopWatching?.();
    this.#slows.release(this.#holder);
  }

  snapshot(): BackpressureSnapshot {
    this.check();
    const nowMs = this.#clock.nowMs();
    return {
      kind: 'backpressure',
      name: this.name,
      state: this.#state,
      since: this.#since,
      stateAgeMs: nowMs - this.#enteredAtMs,
      utilisation: this.#watches.utilisation,
      ...this.#settings,
      slows: `${this.#slows.kind}:${this.#slows.name}`,
      engagements: this.#engagements,
      ...this.#forced.show(),
      ...this.#touches.show(),
    };
  }

  #automatic(utilisation: number): BackpressureState {
    if (utilisation >= this.#settings.engageAtRatio) return 'engaged';
    return utilisation <= this.#settings.releaseAtRatio ? 'released' : this.#state;
  }

  #enter(to: BackpressureState, utilisation: number): void {
    this.#state = to;
    this.#enteredAtMs = this.#clock.nowMs();
    this.#since = this.#clock.wallTime();
    if (to === 'engaged') {
      this.#engagements++;
      this.#slowDown();
    } else {
      this.#slows.release(this.#holder);
    }
    for (const listener of this.#listeners) {
      try {
        listener(to, utilisation);
      } catch {
        // a listener must not keep the work that filled the queue
      }
    }
  }

  #slowDown(): void {
    this.#slows.slowDown(this.#holder, this.#settings.slowToRatio);
  }
}

function parseSettings(name: string, options: Partial<BackpressureSettings>): BackpressureSettings {
  const { engageAtRatio = 0.8, releaseAtRatio = 0.6, slowToRatio = 0.5 } = options;
  checkRatio(name, 'engageAtRatio', engageAtRatio);
  checkRatio(name, 'slowToRatio', slowToRatio);
  if (!(releaseAtRatio >= 0 && releaseAtRatio < engageAtRatio)) {
    throw new PolicyError(
      'invalid-option',
      name,
      `${name}: releaseAtRatio is ${releaseAtRatio}; allowed: from 0 and below engageAtRatio, ${engageAtRatio}`,
    );
  }
  return { engageAtRatio, releaseAtRatio, slowToRatio };
}
