import {
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';
import { DoctorError } from '@starr/kernel';
import { tracingServerInterceptor } from '@starr/telemetry';
import { readDescriptorFiles } from '@starr/wire';
import { authInterceptor, type Credential, type RequiredRoles } from './auth.ts';

export interface ServedService {
  /** starr.doctor.v1.DoctorService */
  readonly name: string;
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
  readonly roles: RequiredRoles;
}

export interface ServeOptions {
  /** Loopback only, until mTLS comes: anything else is refused. */
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  readonly credentials: readonly Credential[];
  readonly services: readonly ServedService[];
}

export interface Serving {
  readonly port: number;
  /** Lets calls in progress end for `graceMs` (default 1000), then cuts them. */
  stop(graceMs?: number): Promise<void>;
}

/** A gRPC server as all of ours are: credential, trace, health and reflection included. */
export async function serveGrpc(options: ServeOptions): Promise<Serving> {
  checkLoopback(options.host);
  const roles = Object.assign(
    {},
    ...options.services.map((service) => service.roles),
  ) as RequiredRoles;
  const server = new Server({
    interceptors: [tracingServerInterceptor, authInterceptor(options.credentials, roles)],
  });
  for (const { definition, implementation } of options.services)
    server.addService(definition, implementation);
  const names = options.services.map(({ name }) => name);
  await addHealthAndReflection(server, names);
  const port = await bind(server, options);
  return { port, stop: (graceMs = 1000) => stop(server, graceMs) };
}

/** Their packages are loaded by those who serve alone: clients share this library, and start often. */
async function addHealthAndReflection(server: Server, names: readonly string[]): Promise<void> {
  const [{ HealthImplementation }, { ReflectionService }] = await Promise.all([
    import('grpc-health-check'),
    import('@grpc/reflection'),
  ]);
  new HealthImplementation(
    Object.fromEntries(['', ...names].map((name) => [name, 'SERVING'])),
  ).addToServer(server);
  // The files as buf wrote them. Loaded through proto-loader they would lose imports and absolute names, which only
  // its own clients can do without: https://github.com/grpc/grpc-node/issues/2595.
  const files: Pick<
    MessageTypeDefinition<object, object>,
    'format' | 'type' | 'fileDescriptorProtos'
  > = {
    format: 'Protocol Buffer 3 DescriptorProto',
    type: {},
    fileDescriptorProtos: [...(await readDescriptorFiles())],
  };
  new ReflectionService({ files }, { services: [...names, 'grpc.health.v1.Health'] }).addToServer(
    server,
  );
}

/** Off loopback a credential in plain text could be read on the way. */
function checkLoopback(host: string): void {
  if (/^(127(\.\d{1,3}){3}|::1|\[::1\]|localhost)$/.test(host)) return;
  throw new DoctorError('CONFIG_INVALID', {
    message: `listen host ${JSON.stringify(host)} is not a loopback address; allowed: 127.0.0.0/8, ::1, localhost (elsewhere needs mTLS, which is not there yet)`,
    details: { field: 'listen.host', received: host },
  });
}

function bind(server: Server, { host, port }: ServeOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
      if (error)
        reject(
          new DoctorError('CONFIG_INVALID', {
            message: `cannot listen on ${host}:${port}: ${error.message}`,
            cause: error,
            details: { field: 'listen.port' },
          }),
        );
      else resolve(bound);
    });
  });
}

function stop(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, graceMs);
    server.tryShutdown(() => {
      clearTimeout(force);
      resolve();
    });
  });
}
