/** How to reach the query API of one Jaeger. */
export interface JaegerConfig {
  /** `http://host:16686`, with the base path if it has one. */
  readonly url: string;
  /**
   * Services that are never searched unless they are asked for by name. Default: Starr's own processes, whose traces
   * are long and no user's.
   */
  readonly exclude?: readonly string[];
  /** A larger answer is given up. Default 32 MiB. */
  readonly maxBytes?: number;
}

export const OWN_SERVICES: readonly string[] = [
  'starr',
  'orchestrator',
  'db-doctor',
  'cache-doctor',
  'k8s-doctor',
  'resilience',
];

export const DEFAULT_MAX_BYTES = 32 * 1024 * 1024;
