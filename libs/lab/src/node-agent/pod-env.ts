import type { Container, EnvSource, EnvVar, ImageProgram, ImageTable, Pod } from './pod-types.ts';

/** Text of a key-value object of the API; `undefined`: there is none of that name. */
export type LoadData = (
  kind: 'configmaps' | 'secrets',
  name: string,
) => Promise<Readonly<Record<string, string>> | undefined>;

/** Where the pod runs; what the fields of `status` stand for. */
export interface PodPlace {
  readonly podIp: string;
  readonly hostIp: string;
}

export type Resolved<T> =
  | { readonly kind: 'ok'; readonly value: T }
  /** In the kubelet's words: the message of CreateContainerConfigError. */
  | { readonly kind: 'missing'; readonly says: string };

const MAP_FIELD = /^metadata\.(labels|annotations)\['(.+)'\]$/;

const fieldOf = (pod: Pod, place: PodPlace, path: string): string | undefined => {
  const entry = MAP_FIELD.exec(path);
  if (entry) return pod.metadata[entry[1] as 'labels' | 'annotations']?.[entry[2] ?? ''] ?? '';
  switch (path) {
    case 'metadata.name':
      return pod.metadata.name;
    case 'metadata.namespace':
      return pod.metadata.namespace;
    case 'metadata.uid':
      return pod.metadata.uid;
    case 'spec.nodeName':
      return pod.spec.nodeName;
    case 'status.podIP':
    case 'status.podIPs':
      return place.podIp;
    case 'status.hostIP':
      return place.hostIp;
    default:
      return undefined;
  }
};

/** `$(NAME)` stands for a variable before it; `$$(NAME)` for itself; unknown names stay as they are. */
const expanded = (text: string, known: ReadonlyMap<string, string>): string =>
  text.replaceAll(
    /\$(\$\([A-Za-z0-9_.-]+\)|\(([A-Za-z0-9_.-]+)\))/g,
    (whole, escaped: string, name?: string) =>
      name === undefined ? escaped : (known.get(name) ?? whole),
  );

const missing = (says: string): Resolved<never> => ({ kind: 'missing', says });

interface Sources {
  readonly pod: Pod;
  readonly place: PodPlace;
  readonly load: LoadData;
}

const SINGULAR = { configmaps: 'configmap', secrets: 'secret' } as const;

const fromKey = async (
  sources: Sources,
  kind: 'configmaps' | 'secrets',
  ref: { readonly name: string; readonly key: string; readonly optional?: boolean },
): Promise<Resolved<string | undefined>> => {
  const data = await sources.load(kind, ref.name);
  const value = data?.[ref.key];
  if (value !== undefined || ref.optional === true) return { kind: 'ok', value };
  const where = `${sources.pod.metadata.namespace ?? ''}/${ref.name}`;
  return data === undefined
    ? missing(`${SINGULAR[kind]} "${ref.name}" not found`)
    : missing(
        `couldn't find key ${ref.key} in ${kind === 'secrets' ? 'Secret' : 'ConfigMap'} ${where}`,
      );
};

const valueOf = async (
  variable: EnvVar,
  sources: Sources,
  known: ReadonlyMap<string, string>,
): Promise<Resolved<string | undefined>> => {
  const from = variable.valueFrom;
  if (from?.configMapKeyRef) return fromKey(sources, 'configmaps', from.configMapKeyRef);
  if (from?.secretKeyRef) return fromKey(sources, 'secrets', from.secretKeyRef);
  if (from?.fieldRef) {
    const value = fieldOf(sources.pod, sources.place, from.fieldRef.fieldPath);
    return value === undefined
      ? missing(`field ${from.fieldRef.fieldPath} is not supported by the node agent`)
      : { kind: 'ok', value };
  }
  return { kind: 'ok', value: expanded(variable.value ?? '', known) };
};

const fromSource = async (
  source: EnvSource,
  sources: Sources,
): Promise<Resolved<readonly (readonly [string, string])[]>> => {
  const kind = source.secretRef ? 'secrets' : 'configmaps';
  const ref = source.secretRef ?? source.configMapRef;
  if (!ref) return { kind: 'ok', value: [] };
  const data = await sources.load(kind, ref.name);
  if (data === undefined && ref.optional !== true) {
    return missing(`${SINGULAR[kind]} "${ref.name}" not found`);
  }
  const prefix = source.prefix ?? '';
  return {
    kind: 'ok',
    value: Object.entries(data ?? {}).map(([k, v]) => [prefix + k, v] as const),
  };
};

/** The variables that the container's own template names, in its order: later ones win. */
const templateEnv = async (
  container: Container,
  sources: Sources,
): Promise<Resolved<Map<string, string>>> => {
  const env = new Map<string, string>();
  for (const source of container.envFrom ?? []) {
    const found = await fromSource(source, sources);
    if (found.kind === 'missing') return found;
    for (const [name, value] of found.value) env.set(name, value);
  }
  for (const variable of container.env ?? []) {
    const found = await valueOf(variable, sources, env);
    if (found.kind === 'missing') return found;
    if (found.value !== undefined) env.set(variable.name, found.value);
  }
  return { kind: 'ok', value: env };
};

/** A program ready to be started. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly workingDir?: string;
}

/** The image of the table, with its tag or without. */
export const imageProgram = (table: ImageTable, image: string): ImageProgram | undefined =>
  table[image] ?? table[image.replace(/:[^:/]*$/, '')];

/** Preloaded into every Node program of a pod: its outgoing sockets then come from the pod's address. */
const sourceAddressOption = (): string =>
  `--import=${new URL('./source-address.ts', import.meta.url).href}`;

export const resolveLaunch = async (
  container: Container,
  program: ImageProgram,
  sources: Sources,
): Promise<Resolved<Launch>> => {
  const template = await templateEnv(container, sources);
  if (template.kind === 'missing') return template;
  const { pod, place } = sources;
  const set = new Map([...Object.entries(program.env ?? {}), ...template.value]);
  const words = [
    ...(container.command ?? program.entrypoint),
    ...(container.args ?? (container.command ? [] : (program.args ?? []))),
  ].map((word) => expanded(word, set));
  const [command, ...args] = words;
  if (command === undefined) return missing('no command specified');
  const env = {
    PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    HOSTNAME: pod.metadata.name,
    POD_NAME: pod.metadata.name,
    POD_NAMESPACE: pod.metadata.namespace ?? '',
    STARR_POD_IP: place.podIp,
    STARR_IMAGE: container.image,
    ...Object.fromEntries(set),
    NODE_OPTIONS: [set.get('NODE_OPTIONS'), sourceAddressOption()].filter(Boolean).join(' '),
  };
  const dir = program.workingDir;
  return {
    kind: 'ok',
    value: { command, args, env, ...(dir === undefined ? {} : { workingDir: dir }) },
  };
};
