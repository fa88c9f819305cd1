import type { Fleet, FleetEvent, FleetMember } from '@starr/resilience';
import type { ProcessIdentity, ProcessReport, ShownProcess } from '@starr/wire';

export type ProcessFleet = Fleet<ProcessIdentity, ProcessReport>;
export type ProcessMember = FleetMember<ProcessIdentity, ProcessReport>;
export type ProcessEvent = FleetEvent<ProcessIdentity, ProcessReport>;

export function shownProcess(member: ProcessMember): ShownProcess {
  return member;
}
