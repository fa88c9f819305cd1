import type { ChannelCredentials } from '@grpc/grpc-js';
import type { Policies } from '@starr/policies';
import type { ProcessIdentity } from '@starr/wire';

export interface AttachOptions {
  readonly policies: Policies;
  /** host:port of the resilience service. */
  readonly address: string;
  /** Asked for at each attempt, so that a renewed token is used. Absent: none is sent. */
  readonly token?: () => string | Promise<string>;
  /** Default: insecure, for loopback. */
  readonly credentials?: ChannelCredentials;
  readonly version?: string;
  /** Absent: not in a pod. */
  readonly pod?: NonNullable<ProcessIdentity['pod']>;
  /** Unique for this life of the process. Default: a random one. */
  readonly instance?: string;
  /** Told when the service was reached or lost, for the log; what it throws is dropped. */
  readonly onChange?: (change: AttachChange) => void;
  /** First and longest wait between attempts; each is drawn between 0 and its length. Default 200 and 3000. */
  readonly retryMs?: { readonly first: number; readonly longest: number };
}

export type AttachChange =
  | { readonly state: 'attached' }
  /** Why: the status of the stream in words. Policies work on without it. */
  | { readonly state: 'away'; readonly why: string };
