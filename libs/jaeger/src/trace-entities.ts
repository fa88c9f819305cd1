import type { Entity } from '@starr/kernel';

export function serviceEntity(service: string): Entity {
  return { kind: 'service', name: service };
}

export function operationEntity(service: string, operation: string): Entity {
  return { kind: 'operation', name: `${service}/${operation}` };
}
