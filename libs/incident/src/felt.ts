import type { Entity } from '@starr/kernel';

const FELT: ReadonlySet<string> = new Set(['service', 'operation']);

/** Whether users feel what is about this: services and their operations are what they call. */
export function isFelt({ kind }: Entity): boolean {
  return FELT.has(kind);
}
