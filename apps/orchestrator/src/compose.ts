import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { serveGrpc, type Credential, type Running } from '@starr/doctor-host';
import { DoctorError, systemClock } from '@starr/kernel';
import { openStore, targetsThatAreTheStore, type Store } from '@starr/store';
import { createLog, tracingClientInterceptor, type Log } from '@starr/telemetry';
import { bearerTokenInterceptor, createDoctorClient } from '@starr/wire';
import { AlertDesk } from './alerts/alert-desk.ts';
import { createNotifier } from './alerts/notifier.ts';
import type { OrchestratorConfig } from './config.ts';
import { descriptionFiles } from './doctors/description-files.ts';
import { DoctorRoster, type RosterMember } from './doctors/doctor-roster.ts';
import { createTracesDoctor, type TracesDoctor } from './doctors/traces-doctor.ts';
import { serveHttp } from './http/http-server.ts';
import { Metrics } from './http/metrics.ts';
import { httpRoutes } from './http/routes.ts';
import { Orchestrator } from './orchestrator.ts';
import { loadPlaybooks } from './playbooks/load-playbooks.ts';
import { RecentPlans } from './plans/recent-plans.ts';
import { orchestratorService } from './services/orchestrator-service.ts';

/** What other orchestrators left behind is looked for so often. */
const RECOVER_EVERY_MS = 5000;
const NAME = 'orchestrator';

export interface RunningOrchestrator extends Running {
  readonly httpPort: number;
}

/** The only place of this service that opens connections. */
export async function compose(config: OrchestratorConfig): Promise<RunningOrchestrator> {
  const log = createLog(NAME);
  await refuseOwnTarget(config);
  const store = config.storeUrl === undefined ? undefined : openStore({ url: config.storeUrl });
  const clients = doctorClients(config);
  const traces = config.jaeger && createTracesDoctor(config.jaeger, log);
  const stopping = new AbortController();
  const metrics = new Metrics(() => ({
    sweeps: orchestrator.sweeps.running,
    plans: orchestrator.runs.running,
  }));
  const orchestrator = build(config, { clients, traces, store, stopping, metrics, log });
  const desk = new AlertDesk({
    environment: config.environment,
    store,
    sweep: (request, requester, signal) => orchestrator.sweep(request, requester, signal),
    notifier: createNotifier(config.notify, { clock: systemClock, log }),
    stopping: stopping.signal,
    log,
  });
  const tokens: readonly Credential[] = [{ token: config.state.token, role: 'admin' }];
  const grpc = await serveGrpc({
    host: config.host,
    port: config.port,
    credentials: tokens,
    services: [orchestratorService(orchestrator, tokens, log)],
  });
  const http = await serveHttp({
    host: config.host,
    port: config.httpPort,
    token: config.state.token,
    routes: httpRoutes(orchestrator, desk, metrics),
    log,
  });
  // Only now: whoever holds the port is the one that takes over.
  void orchestrator.runs.recover();
  const recovery = setInterval(() => void orchestrator.runs.recover(), RECOVER_EVERY_MS);
  return {
    port: grpc.port,
    httpPort: http.port,
    stop: async () => {
      clearInterval(recovery);
      stopping.abort();
      await Promise.all([grpc.stop(), http.stop()]);
      for (const client of clients) client.close();
      await traces?.close();
      await store?.close();
    },
  };
}

type Client = RosterMember & { close(): void };

function doctorClients({ doctors, state }: OrchestratorConfig): readonly Client[] {
  const interceptors = [tracingClientInterceptor, bearerTokenInterceptor(state.token)];
  return doctors.map(({ address, ...place }) => {
    const doctor = createDoctorClient({
      address,
      credentials: credentials.createInsecure(),
      interceptors,
    });
    return {
      ...place,
      address,
      doctor,
      close: () => {
        doctor.close();
      },
    };
  });
}

interface Parts {
  readonly clients: readonly Client[];
  readonly traces: TracesDoctor | undefined;
  readonly store: Store | undefined;
  readonly stopping: AbortController;
  readonly metrics: Metrics;
  readonly log: Log;
}

function build(
  config: OrchestratorConfig,
  { clients, traces, store, stopping, metrics, log }: Parts,
): Orchestrator {
  const { environment } = config;
  const clock = systemClock;
  const memory = descriptionFiles(join(config.stateDir, NAME, 'doctors'));
  const members = traces ? [...clients, traces.member] : clients;
  const roster = new DoctorRoster(members, { clock, log, memory });
  return new Orchestrator({
    environment,
    roster,
    store,
    loadPlaybooks: () => loadPlaybooks(config.playbooks),
    traces: traces?.reader,
    clock,
    log,
    onEnded: (ended) => {
      metrics.count(ended);
    },
    plans: {
      environment,
      roster,
      store,
      recent: new RecentPlans(),
      clock,
      log,
      grantPrivateKeyPem: config.state.grantPrivateKeyPem,
      instance: instanceOf(config),
      stopping: stopping.signal,
      ...(traces && {
        users: {
          diagnostic: 'traces.error-rate',
          measurement: 'errorRatio',
          below: config.maxErrorRatio,
        },
      }),
    },
  });
}

/** The same after a restart: whoever has the port again is the successor of the one that had it. */
function instanceOf({ host, port }: OrchestratorConfig): string {
  return port === 0 ? randomUUID() : `${hostname()}/${host}:${port}`;
}

/** A store in the patient is away exactly when it is needed. */
async function refuseOwnTarget({ storeUrl, postgresPlaces }: OrchestratorConfig): Promise<void> {
  if (storeUrl === undefined) return;
  const own = await targetsThatAreTheStore(storeUrl, postgresPlaces);
  if (own.length === 0) return;
  throw new DoctorError('CONFIG_INVALID', {
    message: `store.url is the server of target ${own.join(', ')}; allowed: a server that is not examined, or none, then starr up starts one`,
    details: { field: 'store.url' },
  });
}
