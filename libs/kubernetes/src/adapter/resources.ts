import type { Permission } from '../grants/permission.ts';

/** What of the API this adapter asks for, and nothing else: no secrets, no nodes/proxy, no pods/exec. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
}

export const RESOURCES = {
  pods: { group: '', version: 'v1', plural: 'pods' },
  events: { group: '', version: 'v1', plural: 'events' },
  replicaSets: { group: 'apps', version: 'v1', plural: 'replicasets' },
  deployments: { group: 'apps', version: 'v1', plural: 'deployments' },
  autoscalers: { group: 'autoscaling', version: 'v2', plural: 'horizontalpodautoscalers' },
} as const satisfies Record<string, Resource>;

export function pathOf(resource: Resource, namespace: string, name?: string): string {
  const root = resource.group === '' ? `/api/${resource.version}` : groupPath(resource);
  const path = `${root}/namespaces/${encodeURIComponent(namespace)}/${resource.plural}`;
  return name === undefined ? path : `${path}/${encodeURIComponent(name)}`;
}

function groupPath({ group, version }: Resource): string {
  return `/apis/${group}/${version}`;
}

export function permissionOf(
  verb: Permission['verb'],
  resource: Resource,
  namespace: string,
  subresource?: string,
): Permission {
  const name = subresource === undefined ? resource.plural : `${resource.plural}/${subresource}`;
  return { verb, group: resource.group, resource: name, namespace };
}
