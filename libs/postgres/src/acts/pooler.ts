/** Sets default_pool_size of a pooler, for as long as it runs: its file is not written. */
export interface SetPoolSizeAct {
  readonly kind: 'set-pool-size';
  readonly pooler: string;
  /** Guard: what it is now. */
  readonly from: number;
  readonly to: number;
  /** Databases that must follow; one with a size of its own does not, and then nothing is changed. */
  readonly databases: readonly string[];
}

/** Lets the clients of one database wait, once the work in progress has ended. Undone when that takes too long. */
export interface PausePoolerAct {
  readonly kind: 'pause-pooler';
  readonly pooler: string;
  readonly database: string;
  /** How long work in progress may take to end. */
  readonly withinMs: number;
}

/** Lets the clients of a paused database go on. */
export interface ResumePoolerAct {
  readonly kind: 'resume-pooler';
  readonly pooler: string;
  readonly database: string;
}

/** All that can be done to a pooler, on its console. No session of the server is needed for it. */
export type PoolerAct = SetPoolSizeAct | PausePoolerAct | ResumePoolerAct;

const KINDS: Readonly<Record<PoolerAct['kind'], true>> = {
  'set-pool-size': true,
  'pause-pooler': true,
  'resume-pooler': true,
};

export function isPoolerAct(act: { readonly kind: string }): act is PoolerAct {
  return Object.hasOwn(KINDS, act.kind);
}
