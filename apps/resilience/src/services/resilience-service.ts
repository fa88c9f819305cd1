import { streaming, unary, type ServedService } from '@starr/doctor-host';
import type { Log } from '@starr/telemetry';
import {
  ResilienceServiceService,
  shownProcessToProto,
  type ResilienceServiceServer,
} from '@starr/wire';
import { attachStream } from './attach-stream.ts';
import { listPage } from './list-page.ts';
import { watchFleet } from './watch-fleet.ts';
import { shownProcess, type ProcessFleet } from './process-fleet.ts';

const PATH = '/starr.resilience.v1.ResilienceService';

/** Attached processes as a gRPC service. */
export function resilienceService(fleet: ProcessFleet, log: Log): ServedService {
  const implementation: ResilienceServiceServer = {
    attach: attachStream(fleet, log),
    listProcesses: unary(log, (request) => {
      const page = listPage(fleet.members(), request);
      return Promise.resolve({
        processes: page.members.map((member) => shownProcessToProto(shownProcess(member))),
        nextPageToken: page.nextPageToken,
      });
    }),
    watch: streaming(log, async function* ({ service }, { signal }) {
      for await (const event of watchFleet(fleet, service, signal)) {
        yield event.kind === 'changed'
          ? {
              event: {
                $case: 'process',
                value: shownProcessToProto(shownProcess(event.member)),
              },
            }
          : {
              event: {
                $case: 'detached',
                value: {
                  service: event.identity.service,
                  instance: event.identity.instance,
                  clean: event.clean,
                },
              },
            };
      }
    }),
  };
  return {
    name: 'starr.resilience.v1.ResilienceService',
    definition: ResilienceServiceService,
    implementation,
    roles: {
      [`${PATH}/Attach`]: 'viewer',
      [`${PATH}/ListProcesses`]: 'viewer',
      [`${PATH}/Watch`]: 'viewer',
    },
  };
}
