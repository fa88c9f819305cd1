import { measurementText } from '@starr/incident';
import { durationText } from '@starr/kernel';
import type { ApplyPlanEvent, OperationMove } from '@starr/wire';

/** One event of an applied plan as a line. */
export function applyLine(event: ApplyPlanEvent): string {
  switch (event.kind) {
    case 'started':
      return event.joined
        ? `applying ${event.plan.id} (already under way)`
        : `applying ${event.plan.id}`;
    case 'operation':
      return `  ${event.position + 1}  ${moveText(event.says, event.moved)}`;
    case 'effect': {
      const value = event.value === undefined ? '' : `  ${measurementText(event.value, undefined)}`;
      const left =
        event.remainingMs === undefined ? '' : `  ${durationText(event.remainingMs)} left`;
      return `  effect ${event.state}${value}  ${event.says}${left}`;
    }
    case 'notice':
      return `  ${event.says}`;
    case 'ended':
      return `${event.plan.id} ${event.plan.state}: ${event.says}`;
  }
}

function moveText(says: string, moved: OperationMove): string {
  switch (moved.move) {
    case 'begun':
      return says;
    case 'progress':
      return `${moved.says}${moved.ratio === undefined ? '' : ` (${Math.round(moved.ratio * 100)} %)`}`;
    case 'ended':
      return `${moved.outcome ?? 'not known yet'}${moved.isByProbe ? ' (by probe)' : ''}: ${moved.says}`;
  }
}
