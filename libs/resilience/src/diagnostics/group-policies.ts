import type { AttachedProcess } from '../attached-process.ts';
import { policyEntity } from '../entities.ts';
import type { Entity } from '@starr/kernel';
import type { PolicyView } from '../policy-view.ts';

/** One policy of a service in all processes that have it. */
export interface PolicyGroup<P> {
  readonly about: Entity;
  readonly service: string;
  readonly name: string;
  readonly members: readonly PolicyMember<P>[];
}

export interface PolicyMember<P> {
  readonly process: AttachedProcess;
  readonly policy: P;
}

/** In the order of their first sight. */
export function groupPolicies<K extends PolicyView['kind']>(
  processes: readonly AttachedProcess[],
  kind: K,
): PolicyGroup<Extract<PolicyView, { kind: K }>>[] {
  type P = Extract<PolicyView, { kind: K }>;
  const groups = new Map<string, PolicyGroup<P> & { readonly members: PolicyMember<P>[] }>();
  for (const process of processes) {
    if (process.answer.kind === 'silent') continue;
    for (const policy of process.answer.policies) {
      if (policy.kind !== kind) continue;
      const about = policyEntity(kind, process.service, policy.name);
      const group = groups.get(about.name) ?? {
        about,
        service: process.service,
        name: policy.name,
        members: [],
      };
      group.members.push({ process, policy: policy as P });
      groups.set(about.name, group);
    }
  }
  return [...groups.values()];
}

export function sumOf<T>(members: readonly T[], valueOf: (member: T) => number): number {
  return members.reduce((sum, member) => sum + valueOf(member), 0);
}

/** 0 when there are none. */
export function maxOf<T>(members: readonly T[], valueOf: (member: T) => number): number {
  return members.reduce((max, member) => Math.max(max, valueOf(member)), 0);
}
