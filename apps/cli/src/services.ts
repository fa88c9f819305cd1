import { credentials, InterceptingCall, RequesterBuilder, type Interceptor } from '@grpc/grpc-js';
import { DoctorError, type Doctor } from '@starr/kernel';
import type { LoadedConfig } from '@starr/config';
import { tracingClientInterceptor } from '@starr/telemetry';
import {
  bearerTokenInterceptor,
  createDbClient,
  createDoctorClient,
  createOrchestratorClient,
  type DbClient,
  type OrchestratorClient,
} from '@starr/wire';
import type { CliConfig } from './config.ts';

/** The services as one starr.yaml names them: kind of target → the doctor that examines it. */
const DOCTOR_PORTS = {
  postgres: 'dbDoctor',
  redis: 'cacheDoctor',
  kubernetes: 'k8sDoctor',
  processes: 'resilience',
} as const;

/** The orchestrator of this configuration. The caller closes it. */
export function connectOrchestrator({ config, token, actor }: CliConfig): OrchestratorClient {
  return createOrchestratorClient({
    address: `${config.listen.host}:${config.listen.orchestrator}`,
    credentials: credentials.createInsecure(),
    interceptors: [
      tracingClientInterceptor,
      bearerTokenInterceptor(token),
      actorInterceptor(actor),
    ],
  });
}

/** The doctor of one target. The caller closes it. Fails with TARGET_UNKNOWN. */
export function connectDoctorOf(
  target: string,
  { config, token }: CliConfig,
): Doctor & { close(): void } {
  return createDoctorClient({
    address: `${config.listen.host}:${portOf(target, config)}`,
    credentials: credentials.createInsecure(),
    interceptors: [bearerTokenInterceptor(token)],
  });
}

/** db-doctor, for one of its targets. The caller closes it. Fails with TARGET_UNKNOWN. */
export function connectDb(target: string, { config, token }: CliConfig): DbClient {
  const { postgres } = config.targets;
  if (!postgres.some(({ name }) => name === target)) {
    throw unknownTarget(target, postgres);
  }
  return createDbClient({
    address: `${config.listen.host}:${config.listen.dbDoctor}`,
    credentials: credentials.createInsecure(),
    interceptors: [bearerTokenInterceptor(token)],
  });
}

function portOf(target: string, { targets, listen }: LoadedConfig): number {
  for (const [kind, port] of Object.entries(DOCTOR_PORTS) as [
    keyof typeof DOCTOR_PORTS,
    (typeof DOCTOR_PORTS)[keyof typeof DOCTOR_PORTS],
  ][]) {
    if (targets[kind].some(({ name }) => name === target)) return listen[port];
  }
  throw unknownTarget(target, Object.values(targets).flat());
}

function unknownTarget(target: string, known: readonly { readonly name: string }[]): DoctorError {
  const allowed = known.map(({ name }) => name).join(', ') || 'none is configured';
  return new DoctorError('TARGET_UNKNOWN', {
    message: `target is ${JSON.stringify(target)}; allowed: ${allowed}`,
    details: { field: 'target', received: target, allowed },
  });
}

function actorInterceptor(actor: string): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(
      nextCall(options),
      new RequesterBuilder()
        .withStart((metadata, listener, next) => {
          metadata.set('starr-actor', actor);
          next(metadata, listener);
        })
        .build(),
    );
}
