import { z } from 'zod';
import { secretSchema } from './secret.ts';

const name = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/,
    'lower-case letters, digits, dots, dashes; at most 63',
  );
const port = z.int().min(0).max(65_535);
const url = (...protocols: string[]) =>
  z
    .url({
      protocol: new RegExp(`^(${protocols.join('|')})$`),
      error: `a URL that begins with ${protocols.map((each) => `${each}://`).join(' or ')}`,
    })
    .refine(
      (text) => !URL.canParse(text) || new URL(text).password === '',
      'a URL without a password; give it by reference under password',
    );
/** Diagnostic id → threshold name → value; the ids and names are checked against the catalog when the doctor starts. */
const thresholds = z.record(z.string(), z.record(z.string(), z.number().min(0))).optional();
const tls = z
  .strictObject({ caFile: z.string().optional(), serverName: z.string().optional() })
  .optional();

const postgres = z.strictObject({
  name,
  url: url('postgres', 'postgresql'),
  /** Absent: none is sent (trust, peer, .pgpass). */
  password: secretSchema.optional(),
  tls,
  /** The second credential; absent: plans are made but not applied. */
  acting: z.strictObject({ user: z.string().min(1), password: secretSchema.optional() }).optional(),
  /** application_names whose sessions no plan may end. */
  protect: z.array(z.string()).default([]),
  thresholds,
});

const redis = z.strictObject({
  name,
  url: url('redis', 'rediss'),
  password: secretSchema.optional(),
  tls,
  acting: z.strictObject({ user: z.string().min(1), password: secretSchema.optional() }).optional(),
  thresholds,
});

const kubeconfig = { kubeconfig: z.string().optional(), context: z.string().optional() };
const kubernetes = z.strictObject({
  name,
  /** Absent: the in-cluster account, else the user's kubeconfig. */
  ...kubeconfig,
  namespaces: z.array(z.string().min(1)).min(1),
  acting: z.strictObject(kubeconfig).optional(),
  thresholds,
});

const processes = z.strictObject({
  name,
  /** Service → how many processes should be attached. */
  expect: z.record(z.string(), z.int().min(0)).default({}),
  /** Probed to tell a breaker that is open without need. */
  dependencies: z.array(z.strictObject({ name, url: url('http', 'https') })).default([]),
  thresholds,
});

const jaeger = z.strictObject({
  name,
  /** The query API, such as http://127.0.0.1:16686. */
  url: url('http', 'https'),
  /** Absent or empty: all services. */
  services: z.array(z.string()).default([]),
  thresholds,
});

const targets = z.strictObject({
  postgres: z.array(postgres).default([]),
  redis: z.array(redis).default([]),
  kubernetes: z.array(kubernetes).default([]),
  processes: z.array(processes).max(1).default([]),
  jaeger: z.array(jaeger).max(1).default([]),
});

/** Ports of deploy/ports.md; 0: a free one. */
const listen = z.strictObject({
  host: z.string().default('127.0.0.1'),
  orchestrator: port.default(7700),
  http: port.default(7780),
  dbDoctor: port.default(7701),
  cacheDoctor: port.default(7702),
  k8sDoctor: port.default(7703),
  resilience: port.default(7704),
});

const notify = z.discriminatedUnion('shape', [
  z.strictObject({ shape: z.literal('slack'), url: secretSchema }),
  z.strictObject({
    shape: z.literal('pagerduty'),
    url: url('http', 'https').default('https://events.pagerduty.com/v2/enqueue'),
    routingKey: secretSchema,
  }),
]);

/** All of starr.yaml. Strict: an unknown key is an error. */
export const starrYamlSchema = z
  .strictObject({
    environment: name,
    /** Where keys, tokens and the own store live; absent: ~/.local/state/starr, for root /var/lib/starr. */
    stateDir: z.string().optional(),
    store: z.strictObject({ url: secretSchema }).optional(),
    listen: listen.prefault({}),
    telemetry: z.strictObject({ otlpUrl: url('http', 'https') }).optional(),
    targets: targets.prefault({}),
    /** Doctors of somebody else: where they listen, and the id prefixes that they may use. */
    doctors: z
      .array(
        z.strictObject({
          name,
          address: z.string().regex(/^[^\s/]+:\d+$/, 'host:port'),
          prefixes: z
            .array(z.string().regex(/^[a-z][a-z0-9-]*\.$/, 'a prefix that ends in a dot'))
            .min(1),
        }),
      )
      .default([]),
    /** A folder with further playbooks. */
    playbooks: z.string().optional(),
    notify: z.array(notify).default([]),
    /** What users feel: an effect is established only when this holds too. Absent: what traces.error-rate says of the services concerned. */
    users: z.strictObject({ maxErrorRatio: z.number().min(0).max(1).default(0.05) }).prefault({}),
  })
  .refine((config) => new Set(allNames(config)).size === allNames(config).length, {
    error: 'target names must be unique',
    path: ['targets'],
  });

export type StarrYaml = z.infer<typeof starrYamlSchema>;
export type PostgresTargetConfig = z.infer<typeof postgres>;
export type RedisTargetConfig = z.infer<typeof redis>;
export type KubernetesTargetConfig = z.infer<typeof kubernetes>;
export type ProcessesTargetConfig = z.infer<typeof processes>;
export type JaegerTargetConfig = z.infer<typeof jaeger>;
export type NotifyConfig = z.infer<typeof notify>;

function allNames(config: { targets: Record<string, readonly { name: string }[]> }): string[] {
  return Object.values(config.targets).flatMap((list) => list.map((target) => target.name));
}
