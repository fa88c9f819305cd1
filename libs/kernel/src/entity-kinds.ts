/**
 * Whether a path may lead through an entity of a kind:
 * `yes`; `no`, a hub that everything touches and that therefore explains nothing;
 * `unless-shared`, it identifies its holder only while there is one (an address behind NAT has many).
 */
export type Passage = 'yes' | 'no' | 'unless-shared';

export interface EntityKind {
  readonly says: string;
  /** What makes the name unique. */
  readonly scope: 'environment' | 'target';
  readonly passage: Passage;
}

/** The kinds that Starr's own doctors speak of. Other doctors may bring others; those have passage `yes`. */
export const ENTITY_KINDS = {
  postgres: { says: 'a PostgreSQL server, by target name', scope: 'environment', passage: 'no' },
  database: { says: 'a database of a server', scope: 'target', passage: 'no' },
  role: { says: 'a role of a server', scope: 'target', passage: 'no' },
  application: { says: 'an application_name as a server sees it', scope: 'target', passage: 'yes' },
  client: {
    says: 'application_name@client address as a server sees them',
    scope: 'target',
    passage: 'yes',
  },
  backend: { says: 'a server process: pid/backend_start', scope: 'target', passage: 'yes' },
  statement: { says: 'a statement fingerprint', scope: 'target', passage: 'yes' },
  table: { says: 'a table: schema.name', scope: 'target', passage: 'no' },
  pooler: {
    says: 'a PgBouncer before a server, by its configured name',
    scope: 'target',
    passage: 'no',
  },
  'pooler-pool': {
    says: 'a pool of a PgBouncer: pooler/database/user',
    scope: 'target',
    passage: 'no',
  },
  redis: { says: 'a Redis or Valkey server, by target name', scope: 'environment', passage: 'no' },
  address: { says: 'an IP address', scope: 'environment', passage: 'unless-shared' },
  cluster: { says: 'a Kubernetes cluster, by target name', scope: 'environment', passage: 'no' },
  namespace: { says: 'a namespace', scope: 'target', passage: 'no' },
  node: { says: 'a node', scope: 'target', passage: 'no' },
  pod: { says: 'a pod: namespace/name', scope: 'target', passage: 'yes' },
  deployment: { says: 'a Deployment: namespace/name', scope: 'target', passage: 'yes' },
  revision: {
    says: 'a revision of a Deployment: namespace/name#revision',
    scope: 'target',
    passage: 'yes',
  },
  process: {
    says: 'a process attached to the resilience service: service/instance',
    scope: 'environment',
    passage: 'yes',
  },
  service: { says: 'a service by its service.name', scope: 'environment', passage: 'yes' },
  breaker: { says: 'a circuit breaker: service/name', scope: 'environment', passage: 'yes' },
  pool: {
    says: 'a connection pool of a service: service/name',
    scope: 'environment',
    passage: 'yes',
  },
  queue: { says: 'a queue of a service: service/name', scope: 'environment', passage: 'yes' },
  dependency: {
    says: 'something that services call, by configured name',
    scope: 'environment',
    passage: 'no',
  },
  operation: {
    says: 'an operation of a service: service/operation',
    scope: 'environment',
    passage: 'yes',
  },
  trace: { says: 'a trace id', scope: 'environment', passage: 'yes' },
} as const satisfies Record<string, EntityKind>;

export function passageOf(kind: string): Passage {
  const known: Readonly<Record<string, EntityKind>> = ENTITY_KINDS;
  return known[kind]?.passage ?? 'yes';
}
