import {
  startKubernetes,
  startLabNodes,
  waitUntil,
  type ImageTable,
  type KubeApi,
  type KubernetesOptions,
  type LabKubernetes,
  type LabNodes,
} from '@starr/lab';
import type { Deployment, Pod } from '../objects.ts';

/** For specs: a real cluster with one namespace, and a program that can be made ill by its environment. */
export const NAMESPACE = 'shop';
export const DIAGNOSER = 'diagnoser';
export const OPERATOR = 'operator';

const APPS = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`;
const CORE = `/api/v1/namespaces/${NAMESPACE}`;
const RBAC = `/apis/rbac.authorization.k8s.io/v1/namespaces/${NAMESPACE}`;

const IMAGES: ImageTable = {
  // answers when ready, logs one line in ten as an error when told to, ends when told to
  'shop/app': {
    entrypoint: [
      process.execPath,
      '-e',
      `const { ERRORS_PER_S = '0', ERROR = 'boom', ERRORS_AFTER_MS = '0', END_AFTER_MS, READY = 'yes', STARR_POD_IP } = process.env;
      const say = (level, msg) => console.log(JSON.stringify({ level, msg, trace_id: 'abc' }));
      say('info', 'started');
      if (READY === 'yes') require('http').createServer((_, r) => r.end('ok')).listen(8080, STARR_POD_IP);
      let n = 0;
      setInterval(() => say('info', 'request ' + ++n + ' served in ' + n % 7 + ' ms'), 200);
      if (Number(ERRORS_PER_S) > 0) setTimeout(() => setInterval(() => say('error', ERROR + ' of order ' + ++n), 1000 / Number(ERRORS_PER_S)), Number(ERRORS_AFTER_MS));
      if (END_AFTER_MS) setTimeout(() => { say('error', 'last words password=hunter2'); setTimeout(() => process.exit(3), 50); }, Number(END_AFTER_MS));
      process.on('SIGTERM', () => process.exit(0));`,
    ],
  },
  // takes memory until somebody ends it
  'shop/hungry': {
    entrypoint: [
      process.execPath,
      '-e',
      'const all = []; setInterval(() => all.push(Buffer.alloc(20e6, 1)), 20);',
    ],
  },
};

export interface TestCluster extends AsyncDisposable {
  readonly lab: LabKubernetes;
  readonly nodes: LabNodes;
  readonly admin: KubeApi;
  deploy(name: string, options?: DeployOptions): Promise<void>;
  /** Sets the environment of the only container, which is a rollout. */
  setEnv(name: string, env: Readonly<Record<string, string>>, image?: string): Promise<void>;
  patch(name: string, body: unknown): Promise<void>;
  deployment(name: string): Promise<Deployment>;
  pods(name: string): Promise<readonly Pod[]>;
  /** Resolves when the rollout is complete. */
  rolledOut(name: string): Promise<Deployment>;
  remove(name: string): Promise<void>;
  /** Gives a user a role in the namespace; rules as in RBAC. */
  allow(user: string, rules: readonly object[]): Promise<void>;
  stop(): Promise<void>;
}

export interface DeployOptions {
  readonly replicas?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly image?: string;
  readonly memory?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export async function startTestCluster(options: KubernetesOptions = {}): Promise<TestCluster> {
  const users = [...(options.users ?? []), OPERATOR];
  const lab = await startKubernetes({ ...options, users });
  const admin = lab.api();
  await admin.ask({
    method: 'POST',
    path: '/api/v1/namespaces',
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
  });
  const nodes = await startLabNodes(lab, {
    images: IMAGES,
    backOff: { baseMs: 300, maxMs: 2000 },
  });
  return clusterFrom(lab, nodes, admin);
}

function clusterFrom(lab: LabKubernetes, nodes: LabNodes, admin: KubeApi): TestCluster {
  const deployment = (name: string): Promise<Deployment> =>
    admin.ask<Deployment>({ method: 'GET', path: `${APPS}/${name}` });
  const pods = async (name: string): Promise<readonly Pod[]> => {
    const path = `${CORE}/pods?labelSelector=app%3D${name}`;
    return (await admin.ask<{ items: Pod[] }>({ method: 'GET', path })).items;
  };
  const patch = async (name: string, body: unknown): Promise<void> => {
    await admin.ask({ method: 'PATCH', patch: 'strategic', path: `${APPS}/${name}`, body });
  };
  const stop = async (): Promise<void> => {
    await nodes.stop();
    await lab.stop();
  };
  return {
    lab,
    nodes,
    admin,
    deployment,
    pods,
    patch,
    async deploy(name, options = {}) {
      await admin.ask({ method: 'POST', path: APPS, body: deploymentBody(name, options) });
    },
    setEnv: (name, env, image = 'shop/app:2') =>
      patch(name, {
        spec: { template: { spec: { containers: [{ name: 'app', image, env: envList(env) }] } } },
      }),
    rolledOut: (name) =>
      waitUntil(
        async () => {
          const now = await deployment(name);
          const { replicas, updatedReplicas, availableReplicas, observedGeneration } =
            now.status ?? {};
          const wanted = now.spec?.replicas;
          const done =
            observedGeneration === now.metadata?.generation &&
            [replicas, updatedReplicas, availableReplicas].every((count) => count === wanted);
          return done && (await pods(name)).length === wanted ? now : undefined;
        },
        { what: `rollout of ${name}`, withinMs: 30_000 },
      ),
    async remove(name) {
      await admin.ask({ method: 'DELETE', path: `${APPS}/${name}` });
      const gone = async (): Promise<true | undefined> =>
        (await pods(name)).length === 0 || undefined;
      await waitUntil(gone, { what: `pods of ${name} gone`, withinMs: 20_000 });
    },
    async allow(user, rules) {
      const name = `allow-${user}-${Math.random().toString(36).slice(2, 8)}`;
      const metadata = { name };
      await admin.ask({ method: 'POST', path: `${RBAC}/roles`, body: { metadata, rules } });
      await admin.ask({ method: 'POST', path: `${RBAC}/rolebindings`, body: binding(name, user) });
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function binding(name: string, user: string): unknown {
  const apiGroup = 'rbac.authorization.k8s.io';
  return {
    metadata: { name },
    roleRef: { apiGroup, kind: 'Role', name },
    subjects: [{ apiGroup, kind: 'User', name: user }],
  };
}

function envList(env: Readonly<Record<string, string>>): unknown {
  return Object.entries(env).map(([name, value]) => ({ name, value }));
}

function deploymentBody(name: string, options: DeployOptions): unknown {
  const { replicas = 2, env = {}, image = 'shop/app:1', labels = {}, memory } = options;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels: { app: name, ...labels } },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: 'app',
              image,
              env: envList(env),
              ...(memory !== undefined && { resources: { limits: { memory } } }),
              readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 1 },
            },
          ],
        },
      },
    },
  };
}
