/* For apps. */
export { resilienceCatalog } from './catalog.ts';
export { processesOptionsToJson, type ProcessesOptions } from './processes-options.ts';
export {
  createResilienceAdapter,
  type ResilienceAdapterOptions,
} from './adapter/create-resilience-adapter.ts';
export {
  Fleet,
  type Attached,
  type FleetCommand,
  type FleetCommandEnd,
  type FleetEvent,
  type FleetIdentity,
  type FleetLink,
  type FleetMember,
  type FleetReport,
} from './adapter/fleet.ts';
export type { Dependency, ResilienceAct, ResilienceRequest } from './request.ts';

/* For other libraries and tests. */
export type { AttachedProcess, ProcessAnswer } from './attached-process.ts';
export type { BreakerView, PolicyView, PoolView, QueueView } from './policy-view.ts';
