import type { Entity } from '@starr/kernel';

/** `shop/checkout`: the name of everything that lives in a namespace. */
export function qualifiedName(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

export function podEntity(target: string, namespace: string, pod: string): Entity {
  return { kind: 'pod', name: qualifiedName(namespace, pod), scope: target };
}

export function deploymentEntity(target: string, namespace: string, deployment: string): Entity {
  return { kind: 'deployment', name: qualifiedName(namespace, deployment), scope: target };
}

/** `shop/checkout#2`. */
export function revisionEntity(
  target: string,
  namespace: string,
  deployment: string,
  revision: number,
): Entity {
  return {
    kind: 'revision',
    name: `${qualifiedName(namespace, deployment)}#${revision}`,
    scope: target,
  };
}

export function addressEntity(address: string): Entity {
  return { kind: 'address', name: address };
}

export function serviceEntity(service: string): Entity {
  return { kind: 'service', name: service };
}
