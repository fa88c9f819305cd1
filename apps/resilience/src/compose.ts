import { loadSealKey, serveDoctor, type HostedTarget, type Serving } from '@starr/doctor-host';
import { systemClock } from '@starr/kernel';
import {
  createResilienceAdapter,
  processesOptionsToJson,
  resilienceCatalog,
  Fleet,
  type ResilienceAct,
  type ResilienceRequest,
} from '@starr/resilience';
import { createLog } from '@starr/telemetry';
import type { ProcessIdentity, ProcessReport } from '@starr/wire';
import type { ProcessesTarget, ResilienceConfig } from './config.ts';
import { resilienceService } from './services/resilience-service.ts';

/** The only place of this service that builds adapters. */
export async function compose(config: ResilienceConfig): Promise<Serving> {
  const log = createLog('resilience');
  const fleet = new Fleet<ProcessIdentity, ProcessReport>(systemClock);
  const serving = await serveDoctor({
    name: 'resilience',
    catalog: catalogFor(config.targets),
    targets: config.targets.map((target) => hosted(target, fleet)),
    host: config.host,
    port: config.port,
    credentials: [{ token: config.state.token, role: 'admin' }],
    sealKey: await loadSealKey(`${config.stateDir}/resilience`),
    grantPublicKeyPem: config.state.grantPublicKeyPem,
    services: [resilienceService(fleet, log)],
    log,
  });
  return {
    port: serving.port,
    stop: async (graceMs) => {
      fleet.close();
      await serving.stop(graceMs);
    },
  };
}

function hosted(
  { name, options, thresholds }: ProcessesTarget,
  fleet: Fleet<ProcessIdentity, ProcessReport>,
): HostedTarget<ResilienceRequest, ResilienceAct> {
  return {
    name,
    kind: 'processes',
    adapter: createResilienceAdapter({ fleet }),
    // a process obeys whoever serves it; there is no second credential
    acts: true,
    options: processesOptionsToJson(options),
    ...(thresholds && { thresholds }),
  };
}

/** Where no dependency is configured, none is asked: a check that can see nothing would always be blind. */
function catalogFor(targets: readonly ProcessesTarget[]): typeof resilienceCatalog {
  if (targets.some(({ options }) => options.dependencies.length > 0)) return resilienceCatalog;
  return {
    ...resilienceCatalog,
    diagnostics: resilienceCatalog.diagnostics.filter(({ id }) => id !== 'resilience.dependencies'),
  };
}
