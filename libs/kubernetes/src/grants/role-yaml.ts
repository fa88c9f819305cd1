import type { Need } from './needs.ts';

/** A Role with its binding in one namespace, as a command that is run as it stands. */
export function applyRole(
  name: string,
  namespace: string,
  user: string,
  needs: readonly Need[],
): string {
  return ["kubectl apply -f - <<'EOF'", ...roleYaml(name, namespace, user, needs), 'EOF'].join(
    '\n',
  );
}

function roleYaml(
  name: string,
  namespace: string,
  user: string,
  needs: readonly Need[],
): readonly string[] {
  const metadata = `metadata: { name: ${name}, namespace: ${text(namespace)} }`;
  return [
    'apiVersion: rbac.authorization.k8s.io/v1',
    'kind: Role',
    metadata,
    'rules:',
    ...rulesOf(needs),
    '---',
    'apiVersion: rbac.authorization.k8s.io/v1',
    'kind: RoleBinding',
    metadata,
    `roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: ${name} }`,
    'subjects:',
    `  - ${subject(user)}`,
  ];
}

/** One rule for the resources of a group that need the same verb. */
function rulesOf(needs: readonly Need[]): string[] {
  const rules = Map.groupBy(needs, ({ group, verb }) => `${group} ${verb}`);
  return [...rules.values()].flatMap((same) => {
    const [first] = same;
    if (!first) return [];
    const resources = same.map(({ resource }) => resource).join(', ');
    return [
      `  - { apiGroups: [${text(first.group)}], resources: [${resources}], verbs: [${first.verb}] }`,
    ];
  });
}

function subject(user: string): string {
  const [system, kind, namespace, name] = user.split(':');
  if (
    system === 'system' &&
    kind === 'serviceaccount' &&
    namespace !== undefined &&
    name !== undefined
  ) {
    return `{ kind: ServiceAccount, name: ${text(name)}, namespace: ${text(namespace)} }`;
  }
  return `{ apiGroup: rbac.authorization.k8s.io, kind: User, name: ${text(user)} }`;
}

/** JSON is YAML: quoted, nothing in a name can be anything else. */
function text(value: string): string {
  return JSON.stringify(value);
}
