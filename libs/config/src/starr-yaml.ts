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
const thresholds = z
  .record(z.string(), z.record(z.string(), z.number().min(0)))
  .optional()
  .describe('diagnostic → threshold → value, in place of the defaults');
const tls = z
  .strictObject({ caFile: z.string().optional(), serverName: z.string().optional() })
  .optional()
  .describe('verified TLS; caFile absent: the system’s authorities, serverName absent: the host');
const actingRole = z
  .strictObject({ user: z.string().min(1), password: secretSchema.optional() })
  .optional()
  .describe('the second credential; absent: plans are made but not applied');

const pooler = z.strictObject({
  name: name.describe('unique among the poolers of the target'),
  url: url('postgres', 'postgresql').describe(
    'its admin console and a user of stats_users: postgres://starr@host:6432',
  ),
  password: secretSchema.optional().describe('of that user; absent: none is sent'),
  tls,
  acting: actingRole.describe(
    'a user of admin_users; absent: what is planned for the pooler is not applied',
  ),
});

const errorTable = z.strictObject({
  table: z.string().min(1).describe('schema.table; without a schema: public'),
  time: z.string().min(1).describe('column with the moment of the error'),
  message: z.string().min(1).describe('column with its text'),
  trace: z.string().min(1).optional().describe('column with its trace id'),
});

const postgres = z.strictObject({
  name,
  url: url('postgres', 'postgresql').describe(
    'server, diagnosing role and database: postgres://starr@host:5432/orders',
  ),
  password: secretSchema
    .optional()
    .describe('of the diagnosing role; absent: none is sent (trust, peer)'),
  tls,
  acting: actingRole,
  protect: z
    .array(z.string())
    .default([])
    .describe('application_names whose sessions no plan may end'),
  poolers: z
    .array(pooler)
    .default([])
    .refine((list) => new Set(list.map((each) => each.name)).size === list.length, {
      error: 'names of poolers must be unique within their target',
    })
    .describe('each PgBouncer before this server'),
  errorTables: z
    .array(errorTable)
    .max(5)
    .default([])
    .describe('tables that applications write errors to; only these columns are read'),
  thresholds,
});

const redis = z.strictObject({
  name,
  url: url('redis', 'rediss').describe('server and diagnosing ACL user: redis://starr@host:6379'),
  password: secretSchema.optional().describe('of the diagnosing user'),
  tls,
  acting: actingRole,
  thresholds,
});

const kubeconfig = {
  kubeconfig: z
    .string()
    .optional()
    .describe('path; absent: the in-cluster account, else the user’s own'),
  context: z.string().optional().describe('absent: the current one'),
};
const kubernetes = z.strictObject({
  name,
  ...kubeconfig,
  namespaces: z.array(z.string().min(1)).min(1).describe('the namespaces that are looked at'),
  acting: z
    .strictObject(kubeconfig)
    .optional()
    .describe('the second credential; absent: plans are made but not applied'),
  thresholds,
});

const processes = z.strictObject({
  name,
  expect: z
    .record(z.string(), z.int().min(0))
    .default({})
    .describe('service → how many processes should be attached'),
  dependencies: z
    .array(z.strictObject({ name, url: url('http', 'https') }))
    .default([])
    .describe('what the services call; probed to tell a breaker that is open without need'),
  thresholds,
});

const jaeger = z.strictObject({
  name,
  url: url('http', 'https').describe('the query API, such as http://127.0.0.1:16686'),
  services: z.array(z.string()).default([]).describe('empty: all'),
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
    environment: name.describe('what one sweep looks at; typed to apply a plan'),
    stateDir: z
      .string()
      .optional()
      .describe(
        'where keys, tokens, logs and the own store live; absent: ~/.local/state/starr, for root /var/lib/starr',
      ),
    store: z
      .strictObject({ url: secretSchema })
      .optional()
      .describe('PostgreSQL that keeps incidents and the journal; absent: a small one of our own'),
    listen: listen.prefault({}),
    telemetry: z
      .strictObject({
        otlpUrl: url('http', 'https').describe('OTLP over gRPC, such as http://127.0.0.1:4317'),
      })
      .optional(),
    targets: targets.prefault({}),
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
      .default([])
      .describe('doctors of somebody else: where they listen, and the id prefixes they may use'),
    playbooks: z.string().optional().describe('a folder with further playbooks'),
    notify: z
      .array(notify)
      .default([])
      .describe('where ten lines of cause go when a sweep that an alert asked for has its answer'),
    users: z
      .strictObject({ maxErrorRatio: z.number().min(0).max(1).default(0.05) })
      .prefault({})
      .describe(
        'what users feel: an effect is established only when their errors stay below this too',
      ),
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
