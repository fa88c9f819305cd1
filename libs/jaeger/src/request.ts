/** A part of the window, in the clock of the applications. */
export interface Slice {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What the adapter can be asked, as data. */
export interface JaegerRequest {
  /** Traces of every service in every slice, at most `tracesPerSearch` of each, whichever Jaeger gives first. Answers {@link RawTraces}. */
  readonly kind: 'traces';
  /** Empty: all that Jaeger knows, but for Starr's own. */
  readonly services: readonly string[];
  /** Newest first. */
  readonly slices: readonly Slice[];
  readonly tracesPerSearch: number;
  /** More services than this are left out, and said. */
  readonly maxServices: number;
}

/** Nothing can be done to a Jaeger. */
export type JaegerAct = never;

/** The answers of all searches, one OTLP `resourceSpans` list each, whichever API the server speaks. */
export interface RawTraces {
  /** Asked for, in the order of Jaeger. */
  readonly services: readonly string[];
  /** Configured and unknown to Jaeger. */
  readonly unknown: readonly string[];
  /** Services beyond maxServices. */
  readonly leftOut: number;
  readonly searches: readonly RawSearch[];
}

export interface RawSearch {
  readonly service: string;
  /** Index into the request's slices. */
  readonly slice: number;
  readonly answer:
    | { readonly state: 'seen'; readonly resourceSpans: readonly unknown[] }
    | {
        readonly state: 'failed';
        readonly code: string;
        readonly says: string;
        readonly cure?: string;
      };
}
