import type { Container, PodTemplate } from '../objects.ts';

/** What differs between two pod templates, by name; a value of an environment variable never shows. */
export interface TemplateChange {
  /** `image`, `env LEAK`, `resources` … */
  readonly what: string;
  readonly container?: string;
  /** Only for images. */
  readonly from?: string;
  readonly to?: string;
}

const RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt';
const WHOLE_FIELDS = [
  'command',
  'args',
  'envFrom',
  'resources',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'volumeMounts',
  'ports',
  'lifecycle',
] as const satisfies readonly (keyof Container)[];

export function diffTemplates(from: PodTemplate, to: PodTemplate): readonly TemplateChange[] {
  const changes = [
    ...diffContainers(from.spec?.containers ?? [], to.spec?.containers ?? []),
    ...diffContainers(from.spec?.initContainers ?? [], to.spec?.initContainers ?? []),
    ...differs('volumes', from.spec?.volumes, to.spec?.volumes),
    ...differs('service account', from.spec?.serviceAccountName, to.spec?.serviceAccountName),
    ...namedChanges('annotation', annotationsOf(from), annotationsOf(to)),
    ...namedChanges('label', labelsOf(from), labelsOf(to)),
  ];
  if (changes.length > 0 || sameJson(bare(from), bare(to))) return changes;
  return [{ what: 'other fields of the template' }];
}

/** The changes as a person reads them: `image 1.8.1→1.8.2, env LEAK`. */
export function templateChangeText(change: TemplateChange): string {
  if (change.from === undefined || change.to === undefined) return change.what;
  return `${change.what} ${tagOf(change.from, change.to)}`;
}

/** Only the tags when the rest of the image name is equal. */
function tagOf(from: string, to: string): string {
  const cut = (image: string) => image.lastIndexOf(':');
  const equalNames = cut(from) > 0 && from.slice(0, cut(from)) === to.slice(0, cut(to));
  return equalNames ? `${from.slice(cut(from) + 1)}→${to.slice(cut(to) + 1)}` : `${from}→${to}`;
}

function diffContainers(from: readonly Container[], to: readonly Container[]): TemplateChange[] {
  const before = new Map(from.map((c) => [c.name ?? '', c]));
  const after = new Map(to.map((c) => [c.name ?? '', c]));
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].flatMap((container) => {
    const old = before.get(container);
    const young = after.get(container);
    if (!old) return [{ what: `container ${container} added`, container }];
    if (!young) return [{ what: `container ${container} removed`, container }];
    return diffContainer(old, young).map((change) => ({ ...change, container }));
  });
}

function diffContainer(from: Container, to: Container): TemplateChange[] {
  const image =
    from.image === to.image ? [] : [{ what: 'image', from: from.image ?? '', to: to.image ?? '' }];
  return [
    ...image,
    ...namedChanges('env', envOf(from), envOf(to)),
    ...WHOLE_FIELDS.flatMap((field) => differs(field, from[field], to[field])),
  ];
}

function envOf(container: Container): ReadonlyMap<string, string> {
  return new Map((container.env ?? []).map((entry) => [entry.name ?? '', JSON.stringify(entry)]));
}

function annotationsOf(template: PodTemplate): ReadonlyMap<string, string> {
  return new Map(Object.entries(template.metadata?.annotations ?? {}));
}

function labelsOf(template: PodTemplate): ReadonlyMap<string, string> {
  const { 'pod-template-hash': _hash, ...labels } = template.metadata?.labels ?? {};
  return new Map(Object.entries(labels));
}

function namedChanges(
  kind: string,
  from: ReadonlyMap<string, string>,
  to: ReadonlyMap<string, string>,
): TemplateChange[] {
  return [...new Set([...from.keys(), ...to.keys()])]
    .filter((name) => from.get(name) !== to.get(name))
    .map((name) => ({ what: name === RESTARTED_AT ? 'restart' : `${kind} ${name}` }));
}

function differs(what: string, from: unknown, to: unknown): TemplateChange[] {
  return sameJson(from, to) ? [] : [{ what }];
}

/** The API server writes the members of one object in one order; equal text is equal content. */
function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function bare(template: PodTemplate): unknown {
  return { spec: template.spec, labels: [...labelsOf(template)] };
}
