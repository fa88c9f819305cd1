import type { Clock, EventLog } from '@starr/kernel';
import type { Opener, Store } from '@starr/store';
import type { Log } from '@starr/telemetry';
import type { SweepEvent } from '@starr/wire';
import type { DoctorRoster } from '../doctors/doctor-roster.ts';
import type { LoadedPlaybooks } from '../playbooks/load-playbooks.ts';
import type { SweepPlan } from './sweep-request.ts';

export interface SweepContext {
  readonly environment: string;
  readonly roster: DoctorRoster;
  /** Absent: none is configured; sweeps then go unrecorded. */
  readonly store: Store | undefined;
  readonly loadPlaybooks: () => Promise<LoadedPlaybooks>;
  readonly clock: Clock;
  readonly log: Log;
  readonly bounds?: Partial<SweepBounds>;
  /** Told once a run, whoever waits for it. */
  readonly onEnded?: (ended: Extract<SweepEvent, { kind: 'ended' }>) => void;
}

/** Together with the budget (4 s) they stay below the 5 s in which every sweep answers. */
export interface SweepBounds {
  /** For doctors that never described themselves; taken from the budget. Default 1500: the first sweep after a start opens all channels. */
  readonly describeMs: number;
  /** Default 300. */
  readonly secondPassMs: number;
  /** Saving, incident and proposals together. Default 400. */
  readonly recordMs: number;
}

export const SWEEP_BOUNDS: SweepBounds = { describeMs: 1500, secondPassMs: 300, recordMs: 400 };

/** What a run gathers on its way. */
export interface SweepRun {
  readonly id: string;
  readonly startedAt: Date;
  readonly startedMs: number;
  readonly traceId: string | undefined;
  readonly requester: Opener;
  readonly plan: SweepPlan;
  readonly events: EventLog<SweepEvent>;
  readonly signal: AbortSignal;
  readonly bounds: SweepBounds;
}
