import type { Permission } from './permission.ts';

/**
 * The command that gives one refused call to the account that was refused, and nothing more. To be run by
 * somebody who may grant it; names are derived from the permission, so that two cures do not collide.
 */
export function grantCommand(permission: Permission, user: string): string {
  const name = roleName(permission, user);
  const resource = permission.group === '' ? permission.resource : grouped(permission);
  const namespace = `--namespace=${quote(permission.namespace)}`;
  return [
    `kubectl create role ${name} ${namespace} --verb=${permission.verb} --resource=${resource}`,
    `kubectl create rolebinding ${name} ${namespace} --role=${name} ${subjectFlag(user)}`,
  ].join(' && ');
}

/** kubectl writes `resource.group/subresource`. */
function grouped({ resource, group }: Permission): string {
  const [plural = resource, subresource] = resource.split('/');
  return subresource === undefined ? `${plural}.${group}` : `${plural}.${group}/${subresource}`;
}

function roleName({ verb, resource }: Permission, user: string): string {
  const account = user.split(':').at(-1) ?? user;
  const text = `starr-${verb}-${resource}-${account}`.toLowerCase();
  return text
    .replaceAll(/[^a-z0-9.-]+/g, '-')
    .replaceAll(/^[-.]+|[-.]+$/g, '')
    .slice(0, 63);
}

function subjectFlag(user: string): string {
  const [system, kind, namespace, name] = user.split(':');
  if (
    system === 'system' &&
    kind === 'serviceaccount' &&
    namespace !== undefined &&
    name !== undefined
  ) {
    return `--serviceaccount=${quote(`${namespace}:${name}`)}`;
  }
  return `--user=${quote(user)}`;
}

function quote(text: string): string {
  return /^[\w.:@/-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
