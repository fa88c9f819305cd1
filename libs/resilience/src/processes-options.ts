import type { Json, Look } from '@starr/kernel';
import type { Dependency } from './request.ts';

/** What the configuration says beside the name of the target; travels as `look.options`. */
export interface ProcessesOptions {
  /** Service → how many processes should be attached. A service that is not named is welcome in any number. */
  readonly expect: Readonly<Record<string, number>>;
  readonly dependencies: readonly Dependency[];
  /** Kubernetes targets and their namespaces: where the pods of the processes are to be found. */
  readonly clusters: readonly { readonly target: string; readonly namespaces: readonly string[] }[];
  /** `host:port` → PostgreSQL target: where pools connect to. */
  readonly databases: Readonly<Record<string, string>>;
}

const none: ProcessesOptions = { expect: {}, dependencies: [], clusters: [], databases: {} };

export function processesOptionsToJson(options: ProcessesOptions): Readonly<Record<string, Json>> {
  return { processes: JSON.parse(JSON.stringify(options)) as Json };
}

/** The composition root made them by `processesOptionsToJson`; a host without options has none. */
export function processesOptionsOf(look: Look): ProcessesOptions {
  const options = look.options['processes'] as Partial<ProcessesOptions> | undefined;
  return { ...none, ...options };
}
