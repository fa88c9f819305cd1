import type { Clock } from '@starr/kernel';
import type { Store } from '@starr/store';
import type { Log } from '@starr/telemetry';
import type { DoctorRoster } from '../doctors/doctor-roster.ts';
import type { UsersGuard } from './effect-watch.ts';
import type { RecentPlans } from './recent-plans.ts';

/** What planning and applying need. */
export interface PlanContext {
  readonly environment: string;
  readonly roster: DoctorRoster;
  /** Absent: none is configured; then nothing is applied. */
  readonly store: Store | undefined;
  readonly recent: RecentPlans;
  readonly clock: Clock;
  readonly log: Log;
  /** Signs grants; PEM. */
  readonly grantPrivateKeyPem: string;
  /** Who holds leases: this orchestrator, also after its restart. */
  readonly instance: string;
  /** Aborted when this process ends; what is under way is left to the next one. */
  readonly stopping: AbortSignal;
  /** What users feel; absent: nobody measures it. */
  readonly users?: UsersGuard;
}
