import type { PolicyView } from './policy-view.ts';

/** A process as one look saw it. */
export interface AttachedProcess {
  readonly service: string;
  /** Unique for one life of a process. */
  readonly instance: string;
  readonly pid: number;
  readonly pod?: { readonly namespace?: string; readonly name?: string; readonly ip?: string };
  /** Where its stream comes from; absent: not known. */
  readonly peerAddress?: string;
  readonly answer: ProcessAnswer;
}

export type ProcessAnswer =
  | {
      readonly kind: 'reported';
      readonly policies: readonly PolicyView[];
      /** Policies of a kind or in a state that this version does not know. */
      readonly unreadable: number;
    }
  /** Attached, but it did not report when asked: hung, stopped, or cut off a moment ago. */
  | { readonly kind: 'silent'; readonly waitedMs: number };
