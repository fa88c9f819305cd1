import type { Entity } from '@starr/kernel';

/** How sessions without an application_name are called. */
const UNNAMED = '(unnamed)';
/** How clients on a local socket are called. */
const LOCAL = 'local';

export function serverEntity(target: string): Entity {
  return { kind: 'postgres', name: target };
}

export function applicationEntity(target: string, application: string): Entity {
  return { kind: 'application', name: application === '' ? UNNAMED : application, scope: target };
}

/** `application@address`. An application_name may hold an `@` itself: the last one parts them. */
export function clientEntity(target: string, application: string, address?: string): Entity {
  const name = application === '' ? UNNAMED : application;
  return { kind: 'client', name: `${name}@${address ?? LOCAL}`, scope: target };
}

export function addressEntity(address: string): Entity {
  return { kind: 'address', name: address };
}

/** `backendStart`: RFC 3339 with microseconds. A pid alone is used again. */
export function backendEntity(target: string, pid: number, backendStart: string): Entity {
  return { kind: 'backend', name: `${pid}/${backendStart}`, scope: target };
}

export function databaseEntity(target: string, database: string): Entity {
  return { kind: 'database', name: database, scope: target };
}

/** `schema.name`, unquoted: what a person calls it. */
export function tableEntity(target: string, schema: string, table: string): Entity {
  return { kind: 'table', name: `${schema}.${table}`, scope: target };
}

/** A statement by its queryid, as text: it does not fit a double. */
export function statementEntity(target: string, queryId: string): Entity {
  return { kind: 'statement', name: queryId, scope: target };
}

/** A PgBouncer by its name in starr.yaml. */
export function poolerEntity(target: string, pooler: string): Entity {
  return { kind: 'pooler', name: pooler, scope: target };
}

/** The connections of a pooler to one database as one user. */
export function poolerPoolEntity(
  target: string,
  pooler: string,
  database: string,
  user: string,
): Entity {
  return { kind: 'pooler-pool', name: `${pooler}/${database}/${user}`, scope: target };
}

export function roleEntity(target: string, role: string): Entity {
  return { kind: 'role', name: role, scope: target };
}
