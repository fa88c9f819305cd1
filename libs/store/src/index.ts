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
