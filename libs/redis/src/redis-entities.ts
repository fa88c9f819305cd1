import type { Entity } from '@starr/kernel';

export function redisEntity(target: string): Entity {
  return { kind: 'redis', name: target };
}

/** A client as the server sees it: what it calls itself at an address. */
export function clientEntity(target: string, name: string, address: string): Entity {
  return { kind: 'client', name: `${name}@${address}`, scope: target };
}

export function addressEntity(address: string): Entity {
  return { kind: 'address', name: address };
}
