import type { BreakerSnapshot } from '@starr/policies';
import type {
  CommandEnd,
  ProcessCommand,
  ProcessIdentity,
  ProcessMessage,
  ProcessReport,
  ServiceMessage,
  ShownProcess,
} from './attach-messages.ts';
import * as pb from './gen/starr/resilience/v1/resilience.ts';
import {
  dateFromProto,
  dateToProto,
  durationFromProto,
  durationToProto,
} from './moment.mapping.ts';
import {
  breakerStateFromProto,
  breakerStateToProto,
  policyFromProto,
  policyToProto,
} from './policy-snapshot.mapping.ts';

export function processMessageToProto(message: ProcessMessage): pb.AttachRequest {
  switch (message.kind) {
    case 'hello':
      return { message: { $case: 'hello', value: identityToProto(message.identity) } };
    case 'report':
      return { message: { $case: 'report', value: reportToProto(message.report) } };
    case 'acknowledgement':
      return {
        message: {
          $case: 'acknowledgement',
          value: { commandId: message.commandId, end: endToProto(message.end) },
        },
      };
    case 'goodbye':
      return { message: { $case: 'goodbye', value: {} } };
  }
}

/** Absent for a message that this version does not know. */
export function processMessageFromProto({ message }: pb.AttachRequest): ProcessMessage | undefined {
  switch (message?.$case) {
    case 'hello':
      return { kind: 'hello', identity: identityFromProto(message.value) };
    case 'report':
      return { kind: 'report', report: reportFromProto(message.value) };
    case 'acknowledgement': {
      const end = endFromProto(message.value.end);
      return end && { kind: 'acknowledgement', commandId: message.value.commandId, end };
    }
    case 'goodbye':
      return { kind: 'goodbye' };
    case undefined:
      return undefined;
  }
}

export function serviceMessageToProto(message: ServiceMessage): pb.AttachResponse {
  switch (message.kind) {
    case 'welcome':
      return {
        message: {
          $case: 'welcome',
          value: { reportInterval: durationToProto(message.reportIntervalMs) },
        },
      };
    case 'command':
      return {
        message: {
          $case: 'command',
          value: { id: message.id, command: message.command && commandToProto(message.command) },
        },
      };
  }
}

const STANDARD_REPORT_INTERVAL_MS = 5000;

/** Absent for a message that this version does not know. */
export function serviceMessageFromProto({
  message,
}: pb.AttachResponse): ServiceMessage | undefined {
  switch (message?.$case) {
    case 'welcome': {
      const { reportInterval } = message.value;
      return {
        kind: 'welcome',
        reportIntervalMs: reportInterval
          ? durationFromProto(reportInterval)
          : STANDARD_REPORT_INTERVAL_MS,
      };
    }
    case 'command':
      return {
        kind: 'command',
        id: message.value.id,
        command: commandFromProto(message.value.command),
      };
    case undefined:
      return undefined;
  }
}

export function shownProcessToProto(process: ShownProcess): pb.Process {
  return {
    hello: identityToProto(process.identity),
    peerAddress: process.peerAddress ?? '',
    attachedAt: dateToProto(process.attachedAt),
    report: process.report && reportToProto(process.report),
    reportedAt: process.reportedAt && dateToProto(process.reportedAt),
  };
}

export function shownProcessFromProto(process: pb.Process): ShownProcess {
  const { hello, peerAddress, attachedAt, report, reportedAt } = process;
  return {
    identity: identityFromProto(hello ?? pb.Hello.fromPartial({})),
    ...(peerAddress !== '' && { peerAddress }),
    attachedAt: attachedAt ? dateFromProto(attachedAt) : new Date(0),
    ...(report && { report: reportFromProto(report) }),
    ...(reportedAt && { reportedAt: dateFromProto(reportedAt) }),
  };
}

function identityToProto(identity: ProcessIdentity): pb.Hello {
  const { pod } = identity;
  return {
    service: identity.service,
    instance: identity.instance,
    version: identity.version ?? '',
    pid: identity.pid,
    startedAt: identity.startedAt && dateToProto(identity.startedAt),
    pod: pod && { namespace: pod.namespace ?? '', name: pod.name ?? '', ip: pod.ip ?? '' },
  };
}

function identityFromProto(hello: pb.Hello): ProcessIdentity {
  const { service, instance, version, pid, startedAt, pod } = hello;
  return {
    service,
    instance,
    pid,
    ...(version !== '' && { version }),
    ...(startedAt && { startedAt: dateFromProto(startedAt) }),
    ...(pod && {
      pod: {
        ...(pod.namespace !== '' && { namespace: pod.namespace }),
        ...(pod.name !== '' && { name: pod.name }),
        ...(pod.ip !== '' && { ip: pod.ip }),
      },
    }),
  };
}

function reportToProto(report: ProcessReport): pb.Report {
  return {
    takenAt: dateToProto(report.takenAt),
    policies: report.policies.map(policyToProto),
    answers: report.answers ?? '',
  };
}

function reportFromProto(report: pb.Report): ProcessReport {
  const policies = report.policies.flatMap((policy) => policyFromProto(policy) ?? []);
  return {
    takenAt: report.takenAt ? dateFromProto(report.takenAt) : new Date(0),
    policies,
    unreadable: report.policies.length - policies.length,
    ...(report.answers !== '' && { answers: report.answers }),
  };
}

function commandToProto(command: ProcessCommand): pb.Command['command'] {
  switch (command.kind) {
    case 'report-now':
      return { $case: 'reportNow', value: {} };
    case 'reset-breaker':
      return {
        $case: 'resetBreaker',
        value: {
          breaker: command.breaker,
          epoch: BigInt(command.epoch),
          state: breakerStateToProto(command.state),
        },
      };
    case 'recall':
      return { $case: 'recall', value: { commandId: command.commandId } };
  }
}

function commandFromProto(command: pb.Command['command']): ProcessCommand | undefined {
  switch (command?.$case) {
    case 'reportNow':
      return { kind: 'report-now' };
    case 'resetBreaker': {
      const { breaker, epoch } = command.value;
      const state = breakerStateFromProto(command.value.state);
      return state && { kind: 'reset-breaker', breaker, epoch: Number(epoch), state };
    }
    case 'recall':
      return { kind: 'recall', commandId: command.value.commandId };
    case undefined:
      return undefined;
  }
}

function endToProto(end: CommandEnd): pb.Acknowledgement['end'] {
  switch (end.kind) {
    case 'done':
      return {
        $case: 'done',
        value: { before: policyToProto(end.before), after: policyToProto(end.after) },
      };
    case 'refused':
      return { $case: 'refused', value: { now: policyToProto(end.now) } };
    case 'not-done':
      return { $case: 'notDone', value: { says: end.says } };
  }
}

/** Absent: an end that this version does not know, which leaves the command without an answer. */
function endFromProto(end: pb.Acknowledgement['end']): CommandEnd | undefined {
  switch (end?.$case) {
    case 'done': {
      const before = breakerFromProto(end.value.before);
      const after = breakerFromProto(end.value.after);
      return before && after && { kind: 'done', before, after };
    }
    case 'refused': {
      const now = breakerFromProto(end.value.now);
      return now && { kind: 'refused', now };
    }
    case 'notDone':
      return { kind: 'not-done', says: end.value.says };
    case undefined:
      return undefined;
  }
}

function breakerFromProto(policy: pb.Policy | undefined): BreakerSnapshot | undefined {
  const snapshot = policy && policyFromProto(policy);
  return snapshot?.kind === 'breaker' ? snapshot : undefined;
}
