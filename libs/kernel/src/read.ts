import { isBlindSpot, type BlindSpot } from './blind-spot.ts';
import type { Relation } from './entity.ts';
import type { Json } from './json.ts';

/** What a read and a judge know beside the rows. */
export interface Look {
  /** The target's clock, not ours. */
  readonly now: Date;
  /** How far back the question reaches. */
  readonly windowMs: number;
  /** The target's version as it names itself; empty when it has none. */
  readonly version: string;
  /** The name of the target in starr.yaml: the scope of its entities. */
  readonly target: string;
  /** The target's options from starr.yaml (protected applications, namespaces …). */
  readonly options: Readonly<Record<string, Json | undefined>>;
}

/** A bounded look without side effects, as data. Q: the adapter's request. T: what judges get. */
export interface Read<T, Q = unknown> {
  /** Equal ids are performed once a target and sweep. */
  readonly id: string;
  /** Enforced at the server where it can, and by the runner in any case. */
  readonly timeoutMs: number;
  readonly maxRows: number;
  /** May depend on the version: too old, an extension missing → blind spot. */
  request(look: Look): Q | BlindSpot;
  parse(raw: unknown, look: Look): T | BlindSpot;
  /** Topology, healthy or not. */
  relate?(value: T, look: Look): readonly Relation[];
  /** Set by {@link optional} and {@link windowed}. */
  readonly wrap?: Wrap<Q>;
}

/** `optional`: the judge handles the blind spot itself. `windowed`: two samples of `inner`. */
export interface Wrap<Q = unknown> {
  readonly as: 'optional' | 'windowed';
  readonly inner: Read<unknown, Q>;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a record of reads of different types; the judge's view is typed by Seen
export type Reads<Q = unknown> = Readonly<Record<string, Read<any, Q>>>;
export type Seen<R extends Reads> = {
  readonly [K in keyof R]: R[K] extends Read<infer T> ? T : never;
};

/** Two samples of one read, `elapsedMs` apart by the doctor's monotonic clock. */
export interface Pair<T> {
  readonly before: T;
  readonly after: T;
  readonly elapsedMs: number;
}

/** The judge gets the blind spot instead of being skipped. */
export function optional<T, Q>(read: Read<T, Q>): Read<T | BlindSpot, Q> {
  return {
    id: read.id,
    timeoutMs: read.timeoutMs,
    maxRows: read.maxRows,
    request: (look) => read.request(look),
    parse: (raw, look) => read.parse(raw, look),
    wrap: { as: 'optional', inner: read },
    ...(read.relate && {
      relate: (value: T | BlindSpot, look: Look) =>
        isBlindSpot(value) ? [] : (read.relate?.(value, look) ?? []),
    }),
  };
}

/** Compares with an earlier sample that the doctor keeps, or takes two in the sweep when it has none. */
export function windowed<T, Q>(read: Read<T, Q>): Read<Pair<T>, Q> {
  return {
    id: `${read.id}@window`,
    timeoutMs: read.timeoutMs,
    maxRows: read.maxRows,
    request: (look) => read.request(look),
    // The host pairs two parsed samples of `inner`; raw rows never come here.
    parse: () => {
      throw new TypeError(`windowed read ${read.id} is paired by the host, not parsed`);
    },
    wrap: { as: 'windowed', inner: read },
    ...(read.relate && {
      relate: (pair: Pair<T>, look: Look) => read.relate?.(pair.after, look) ?? [],
    }),
  };
}
