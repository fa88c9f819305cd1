/* An embedded PostgreSQL, and the leash it runs on. */
export { freePort } from './embedded/free-port.ts';
export { startLeashed, type Exit, type Leashed, type LeashOptions } from './embedded/leash.ts';
export {
  bundledPostgres,
  placePostgres,
  postgresInPackage,
  postgresPackageName,
  type PostgresBinaries,
} from './embedded/postgres-binaries.ts';
export {
  copyPostgresFolder,
  initPostgresFolder,
  postgresUser,
  type DataFolderOptions,
} from './embedded/postgres-data-folder.ts';
export { startPostgresServer, type PostgresServerOptions } from './embedded/postgres-server.ts';
export { isAlive, treeOf } from './embedded/process-tree.ts';
export { waitUntilReady, type Readiness } from './embedded/wait-until-ready.ts';

/* The orchestrator's store. */
export type { AcceptedState, AcceptedStates, StoredAcceptedState } from './accepted-states.ts';
export type { Audit, AuditEntry, StoredAuditEntry } from './audit.ts';
export type { Incidents, OpenIncident, Opener, StoredIncident } from './incidents.ts';
export type {
  Intent,
  Journal,
  JournalEntry,
  NewIntent,
  NewOutcome,
  StoredOutcome,
} from './journal.ts';
export type { Lease, Leases } from './leases.ts';
export { targetsThatAreTheStore, type ServerPlace } from './own-target.ts';
export { REPLANNABLE } from './plan-states.ts';
export type { Approval, NewApproval, Plans, Proposal, StoredPlan } from './plans.ts';
export { openStore, type Store, type StoreOptions } from './store.ts';
export type { StoredSweep, SweepEvidence, Sweeps, SweepState } from './sweeps.ts';
