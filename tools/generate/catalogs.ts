import { jaegerCatalog } from '@starr/jaeger';
import type { Catalog } from '@starr/kernel';
import { kubernetesCatalog } from '@starr/kubernetes';
import { postgresCatalog } from '@starr/postgres';
import { redisCatalog } from '@starr/redis';
import { resilienceCatalog } from '@starr/resilience';

/** All catalogs of the house, with the doctor that serves each. */
export const CATALOGS: readonly {
  readonly doctor: string;
  readonly library: string;
  readonly catalog: Catalog;
}[] = [
  { doctor: 'db-doctor', library: 'postgres', catalog: postgresCatalog },
  { doctor: 'cache-doctor', library: 'redis', catalog: redisCatalog },
  { doctor: 'k8s-doctor', library: 'kubernetes', catalog: kubernetesCatalog },
  { doctor: 'resilience', library: 'resilience', catalog: resilienceCatalog },
  { doctor: 'orchestrator', library: 'jaeger', catalog: jaegerCatalog },
];
