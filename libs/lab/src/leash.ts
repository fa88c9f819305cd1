/** Processes on a leash live with the store's embedded server, which a lab may not be needed for. */
export {
  freePort,
  isAlive,
  startLeashed,
  treeOf,
  waitUntilReady,
  type Exit,
  type Leashed,
  type LeashOptions,
  type Readiness,
} from '@starr/store';
