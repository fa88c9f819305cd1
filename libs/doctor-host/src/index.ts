/* For apps and for those who write a doctor of their own. */
export { serveDoctor, type ServeDoctorOptions } from './serve-doctor.ts';
export { createDoctor, type DoctorOptions } from './create-doctor.ts';
export type { HostedTarget } from './hosted-target.ts';
export { loadSealKey } from './seal-key.ts';
export { ensureStateFiles, readStateFiles, type StateFiles } from './state-files.ts';
export { runService, type Running, type RunOptions } from './run-service.ts';

/* For other gRPC services of the house. */
export { serveGrpc, type ServedService, type ServeOptions, type Serving } from './serve-grpc.ts';
export { doctorService } from './services/doctor-service.ts';
export { streaming, unary, type CallContext } from './handlers.ts';
export {
  authInterceptor,
  identify,
  type Credential,
  type Identity,
  type RequiredRoles,
  type Role,
} from './auth.ts';
export { createGrantKeys, signGrant, verifyGrant } from './grants.ts';
export { describeDiagnostic, describeRemedy } from './describe.ts';
