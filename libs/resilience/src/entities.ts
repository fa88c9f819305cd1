import type { Entity } from '@starr/kernel';

export function serviceEntity(service: string): Entity {
  return { kind: 'service', name: service };
}

export function processEntity(service: string, instance: string): Entity {
  return { kind: 'process', name: `${service}/${instance}` };
}

/** One breaker, queue or pool of a service, whatever the process: `checkout/payments`. */
export function policyEntity(
  kind: 'breaker' | 'queue' | 'pool',
  service: string,
  name: string,
): Entity {
  return { kind, name: `${service}/${name}` };
}

export function dependencyEntity(dependency: string): Entity {
  return { kind: 'dependency', name: dependency };
}

export function addressEntity(address: string): Entity {
  return { kind: 'address', name: address };
}

export function podEntity(cluster: string, namespace: string, pod: string): Entity {
  return { kind: 'pod', name: `${namespace}/${pod}`, scope: cluster };
}

export function postgresEntity(target: string): Entity {
  return { kind: 'postgres', name: target };
}
