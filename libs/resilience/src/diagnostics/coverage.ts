import { blindSpot, type BlindSpot, type Look, type Measurement } from '@starr/kernel';
import type { AttachedProcess } from '../attached-process.ts';
import { serviceEntity } from '../entities.ts';
import { processesOptionsOf } from '../processes-options.ts';

export interface Coverage {
  readonly measured: readonly Measurement[];
  readonly blind: readonly BlindSpot[];
}

export const attachedProcessesSpec = {
  unit: 'count',
  says: 'processes of a service that are attached, against those expected',
} as const;

/** How much of what should be there was seen. A process that nobody sees may be the one that is ill. */
export function coverageOf(processes: readonly AttachedProcess[], look: Look): Coverage {
  const { expect } = processesOptionsOf(look);
  const services = new Set([...Object.keys(expect), ...processes.map(({ service }) => service)]);
  const attached = (service: string) =>
    processes.filter((process) => process.service === service).length;
  const missing = Object.entries(expect).filter(([service, count]) => attached(service) < count);
  return {
    measured: [...services].map((service) => {
      const limit = expect[service];
      return {
        name: 'attachedProcesses',
        about: serviceEntity(service),
        value: attached(service),
        ...(limit !== undefined && { limit }),
      };
    }),
    blind: [
      ...(services.size === 0 ? [nobody] : []),
      ...missing.map(([service, count]) => missingOf(service, attached(service), count)),
      ...processes.flatMap(hidden),
    ],
  };
}

const nobody = blindSpot(
  'unreachable',
  'no process is attached',
  'Call attach() of @starr/attach in the processes, with the address of the resilience service.',
);

function missingOf(service: string, attached: number, expected: number): BlindSpot {
  return blindSpot(
    'unreachable',
    `${attached} of ${expected} expected processes of ${service} are attached`,
    `Look whether the others run and reach the resilience service, or correct expect.${service} of the target.`,
  );
}

function hidden({ service, instance, answer }: AttachedProcess): BlindSpot[] {
  const name = `${service}/${instance}`;
  switch (answer.kind) {
    case 'silent':
      return [
        blindSpot(
          'timeout',
          `process ${name} is attached but did not report within ${Math.round(answer.waitedMs)} ms`,
          'Look whether it hangs or is stopped; one that stays silent is detached.',
        ),
      ];
    case 'reported':
      return answer.unreadable === 0
        ? []
        : [
            blindSpot(
              'unsupported',
              `${answer.unreadable} policies of process ${name} are of a kind that this version does not know`,
              'Update the resilience service to the version of @starr/policies in use.',
            ),
          ];
  }
}
