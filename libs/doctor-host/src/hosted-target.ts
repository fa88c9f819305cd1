import type { Adapter, Json } from '@starr/kernel';

/** One thing that a doctor examines, with its way to it. */
export interface HostedTarget<Q = unknown, O = unknown> {
  /** The name in starr.yaml. */
  readonly name: string;
  /** postgres, redis, kubernetes, processes, jaeger, or a kind of somebody else. */
  readonly kind: string;
  readonly adapter: Adapter<Q, O>;
  /** Whether an acting credential is configured; without one, plans are made but not applied. */
  readonly acts: boolean;
  /** Given to every read and judge as `look.options`. */
  readonly options?: Readonly<Record<string, Json | undefined>>;
  /** Diagnostic id → threshold name → value, in place of the defaults. */
  readonly thresholds?: Readonly<Record<string, Readonly<Record<string, number>>>>;
}
