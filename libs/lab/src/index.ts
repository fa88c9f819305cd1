export { cacheDir } from './cache.ts';
export { faultFrom, type Fault } from './faults/fault.ts';
export {
  crashComponent,
  forgetHistory,
  freezeComponent,
  throttleUser,
} from './faults/kubernetes-faults.ts';
export {
  fillSlots,
  leakConnections,
  lockTable,
  type SessionLook,
} from './faults/postgres-faults.ts';
export { openSession, type LabSession, type SessionOptions } from './postgres-session.ts';
export { busyRedis, loadingRedis } from './faults/redis-faults.ts';
export { findGoToolchain, type GoToolchain } from './go-toolchain.ts';
export {
  buildGoTools,
  findGoTools,
  type BuildOptions,
  type BuildProgress,
  type GoTools,
  type GoToolset,
  type NoGoTools,
} from './go-tools.ts';
export { installHypopg, type HypopgBinaries } from './install-hypopg.ts';
export { installPgBouncer } from './install-pgbouncer.ts';
export { installPostgres, type PostgresMajor } from './install-postgres.ts';
export { installRedis, type RedisBinary } from './install-redis.ts';
export { startJaeger, type JaegerOptions, type LabJaeger } from './jaeger.ts';
export { createAuthority } from './kubernetes/certificates.ts';
export type { ControlPlaneTuning, KubernetesComponent } from './kubernetes/component-flags.ts';
export {
  createKubeApi,
  type KubeAccess,
  type KubeAnswer,
  type KubeApi,
  type KubeRequest,
} from './kubernetes/kube-api.ts';
export {
  startKubernetes,
  type KubernetesOptions,
  type LabKubernetes,
} from './kubernetes/start-kubernetes.ts';
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
} from './leash.ts';
export { pidOfContainer } from './node-agent/container-id.ts';
export type { ImageProgram, ImageTable } from './node-agent/pod-types.ts';
export {
  startLabNodes,
  type LabNode,
  type LabNodes,
  type LabNodesOptions,
} from './node-agent/start-lab-nodes.ts';
export {
  POOLER_ROLES,
  startPgBouncer,
  type LabPgBouncer,
  type PooledClient,
  type PgBouncerOptions,
} from './pgbouncer.ts';
export {
  startPostgres,
  type LabPostgres,
  type PostgresOptions,
  type PostgresRow,
} from './postgres.ts';
export { startRedis, type LabRedis, type RedisOptions } from './redis.ts';
export { shopImages, shopProgram, type ShopProgram, type ShopRole } from './shop/shop-program.ts';
export { type ShopLogLine, type ShopProcess } from './shop/shop-process.ts';
export {
  WITHOUT_ENDPOINTS,
  startShopPods,
  type Rollout,
  type ShopPods,
  type ShopPodsOptions,
} from './shop/shop-pods.ts';
export { startShop, type CheckoutRevision, type Shop, type ShopOptions } from './shop/shop.ts';
export { type Traffic, type TrafficOptions, type TrafficWindow } from './shop/traffic.ts';
export { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.ts';
export { waitUntil, type WaitOptions } from './wait-until.ts';
export {
  prepareBackstage,
  startServices,
  type Backstage,
  type Services,
} from './stage/services.ts';
export {
  startClusterStage,
  type ClusterStage,
  type ClusterStageOptions,
} from './stage/cluster-stage.ts';
export { startStage, type Stage, type StageOptions } from './stage/stage.ts';
export { runStarr, starrArgs, type StarrResult } from './stage/starr-command.ts';
export { stageYamlText, type StageYaml } from './stage/stage-yaml.ts';
export { STAGE_ROLES, startStagePostgres, startStageRedis } from './stage/patients.ts';
