import type { Policies } from '@starr/policies';
import type { Routes } from './http-server.ts';

/** What a role brings; compose.ts adds health, state and faults, and serves it. */
export interface RunningRole {
  /** Absent for a role that uses none. */
  readonly policies?: Policies;
  readonly routes: Routes;
  /** What GET /state shows besides. */
  state?(): unknown;
  /** What GET /healthz answers; absent: 200. */
  healthy?(): boolean;
  /** Resolves when the role has ended by itself; absent: it never does. */
  readonly done?: Promise<void>;
  /** Called once it serves. */
  started?(): void;
  stop(): Promise<void>;
}
