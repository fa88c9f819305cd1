import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { credentials } from '@grpc/grpc-js';
import { ensureStateFiles, signGrant, type Serving, type StateFiles } from '@starr/doctor-host';
import {
  statusOf,
  type ApplyEvent,
  type CheckResult,
  type Doctor,
  type PlanRequest,
  type SealedPlan,
} from '@starr/kernel';
import {
  buildGoTools,
  freezeComponent,
  makeTemporaryFolder,
  startKubernetes,
  startLabNodes,
  waitUntil,
  type KubeApi,
  type LabKubernetes,
  type LabNodes,
  type TemporaryFolder,
} from '@starr/lab';
import { bearerTokenInterceptor, createDoctorClient } from '@starr/wire';
import { compose } from './compose.ts';
import { readConfig } from './config.ts';

jest.setTimeout(90_000);

const tools = await buildGoTools('kubernetes');
const onKubernetes = tools.kind === 'present' ? describe : describe.skip;
const because = tools.kind === 'present' ? '' : ` (skipped: ${tools.why})`;

const CHECKS = ['k8s.error-distribution', 'k8s.pod-status', 'k8s.restarts', 'k8s.rollouts'];
const APPS = '/apis/apps/v1/namespaces/default/deployments';
const never = () => new AbortController().signal;

/** Answers when it is ready, and says that it fails when it is told to. */
const PROGRAM = `
  const { FAILS, STARR_POD_IP } = process.env;
  require('http').createServer((_, r) => r.end()).listen(8080, STARR_POD_IP);
  const say = (level, msg) => console.log(JSON.stringify({ level, msg }));
  let n = 0;
  setInterval(() => (FAILS ? say('error', 'no client for order ' + ++n) : say('info', 'fine')), 100);
  process.on('SIGTERM', () => process.exit(0));`;

onKubernetes(`k8s-doctor as a service${because}`, () => {
  let kubernetes: LabKubernetes;
  let nodes: LabNodes;
  let folder: TemporaryFolder;
  let state: StateFiles;
  let configPath: string;
  let serving: Serving;
  let doctor: Doctor & { close(): void };
  let api: KubeApi;

  const connect = (port: number, token: string) =>
    createDoctorClient({
      address: `127.0.0.1:${port}`,
      credentials: credentials.createInsecure(),
      interceptors: [bearerTokenInterceptor(token)],
    });
  const yaml = async (): Promise<string> => `
environment: test
stateDir: state
listen: { k8sDoctor: 0 }
targets:
  kubernetes:
    - name: prod
      kubeconfig: ${await kubernetes.kubeconfigFor('looker')}
      namespaces: [default]
      acting: { kubeconfig: ${kubernetes.adminKubeconfig} }
`;
  const serve = async (): Promise<Serving> =>
    compose(await readConfig({ configPath, endsWithStdin: false }));

  beforeAll(async () => {
    [kubernetes, folder] = await Promise.all([
      startKubernetes({ users: ['looker'] }),
      makeTemporaryFolder('k8s-doctor'),
    ]);
    api = kubernetes.api();
    const image = { entrypoint: [process.execPath, '-e', PROGRAM] };
    nodes = await startLabNodes(kubernetes, { images: { web: image } });
    state = await ensureStateFiles(join(folder.path, 'state'));
    configPath = join(folder.path, 'starr.yaml');
    await writeFile(configPath, await yaml());
    serving = await serve();
    doctor = connect(serving.port, state.token);
    await api.ask({ method: 'POST', path: APPS, body: web() });
  }, 180_000);
  afterAll(async () => {
    doctor.close();
    await serving.stop();
    await nodes.stop();
    await kubernetes.stop();
    await folder.remove();
  });

  const examine = async (): Promise<CheckResult[]> => {
    const results: CheckResult[] = [];
    const request = { windowMs: 1_800_000, budgetMs: 4000, evidenceNotBefore: new Date() };
    for await (const result of doctor.examine(request, never())) results.push(result);
    return results.toSorted((a, b) => a.diagnostic.localeCompare(b.diagnostic));
  };
  const statuses = (results: readonly CheckResult[]) =>
    results.map(({ diagnostic, verdict }) => `${diagnostic} ${statusOf(verdict)}`);
  const allAre = (status: string) => CHECKS.map((id) => `${id} ${status}`);
  const planFor = async (request: Partial<PlanRequest>): Promise<SealedPlan> => {
    const params = { namespace: 'default', deployment: 'web' };
    const whole = { remedy: 'k8s.rollback', target: 'prod', params, ...request };
    for await (const event of doctor.plan(whole, never())) {
      if (event.kind === 'plan') return event.plan;
      if (event.kind === 'refused') throw new Error(event.says);
    }
    throw new Error('neither plan nor refusal');
  };
  const apply = async (plan: SealedPlan): Promise<readonly ApplyEvent[]> => {
    const operationId = plan.operations[0]!.id;
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    const grant = signGrant(
      { v: 1, planHash: plan.hash, operationId, actor: 'test', reason: 'test', expiresAt },
      state.grantPrivateKeyPem,
    );
    const events: ApplyEvent[] = [];
    for await (const event of doctor.apply({ seal: plan.seal, operationId, grant }, never()))
      events.push(event);
    return events;
  };
  const rolledOut = (): Promise<unknown> =>
    waitUntil(
      async () => {
        const { spec, status, metadata } = await api.ask<{
          spec: { replicas: number };
          status: Record<string, number>;
          metadata: { generation: number };
        }>({ method: 'GET', path: `${APPS}/web` });
        const counts = ['replicas', 'updatedReplicas', 'availableReplicas'];
        const done = counts.every((name) => status[name] === spec.replicas);
        return (done && status['observedGeneration'] === metadata.generation) || undefined;
      },
      { what: 'the rollout', withinMs: 30_000 },
    );
  const image = async (): Promise<string | undefined> => {
    const found = await api.ask<{
      spec: { template: { spec: { containers: { env?: { name: string }[] }[] } } };
    }>({ method: 'GET', path: `${APPS}/web` });
    return found.spec.template.spec.containers[0]?.env?.[0]?.name;
  };

  it('describes what it can be asked and what it can do', async () => {
    const { diagnostics, remedies, targets } = await doctor.describe();
    expect(diagnostics.map(({ id }) => id).toSorted()).toEqual(CHECKS);
    expect(remedies).toMatchObject([{ id: 'k8s.rollback', reversible: true }]);
    expect(targets).toEqual([{ name: 'prod', kind: 'kubernetes', acts: true }]);
  });

  it('is blind with cures before it is granted anything, and says what to grant', async () => {
    const results = await examine();
    expect(statuses(results)).toEqual(allAre('blind'));
    for (const { verdict } of results) {
      expect(verdict.blind?.map(({ why }) => why)).not.toContain('unsupported');
      expect(verdict.blind?.every(({ cure }) => cure?.startsWith('kubectl create role'))).toBe(
        true,
      );
    }
    const { diagnosing, lacking } = await doctor.grants('prod', never());
    expect(lacking).toEqual(diagnosing);
    expect(lacking[0]).toMatch(/^kubectl apply -f - <<'EOF'\n.*kind: Role\n/s);
    await grantAll(api);
    await rolledOut();
    await waitUntil(
      async () => statuses(await examine()).join() === allAre('healthy').join() || undefined,
      { what: 'a healthy sweep' },
    );
  });

  it('asks once for every kind of thing in a sweep, and resolves an address to its pod', async () => {
    const results = await examine();
    const lists = results.reduce((sum, { footprint }) => sum + (footprint['lists'] ?? 0), 0);
    const logs = results.reduce((sum, { footprint }) => sum + (footprint['logs'] ?? 0), 0);
    expect([lists, logs]).toEqual([4, 2]);
    const [pod] = (
      await api.ask<{ items: { metadata: { name: string }; status: { podIP: string } }[] }>({
        method: 'GET',
        path: '/api/v1/namespaces/default/pods',
      })
    ).items;
    const address = { kind: 'address', name: pod!.status.podIP };
    const relations = await doctor.resolve([address], never());
    expect(relations).toContainEqual(
      expect.objectContaining({
        from: { kind: 'pod', name: `default/${pod!.metadata.name}`, scope: 'prod' },
        is: 'at',
        to: address,
      }),
    );
  });

  it('names the rollout and its errors, takes it back once, proves it, and undoes it', async () => {
    await api.ask({ method: 'PATCH', patch: 'strategic', path: `${APPS}/web`, body: failing() });
    await rolledOut();
    const found = await waitUntil(
      async () => {
        const results = await examine();
        return results[0]?.verdict.findings?.length ? results : undefined;
      },
      { what: 'the finding', withinMs: 30_000 },
    );
    expect(found[0]?.verdict.findings?.[0]?.says).toContain('"no client for order <*>"');
    expect(found[3]?.verdict.changes).toMatchObject([
      { says: expect.stringMatching(/^rollout 1→2/) },
    ]);

    const plan = await planFor({});
    expect(plan.effect).toMatchObject({ measurement: 'errorsPerMinute' });
    const events = await apply(plan);
    const end = events.at(-1);
    expect(events[0]).toEqual({ kind: 'accepted' });
    expect(events.filter(({ kind }) => kind === 'progress').length).toBeGreaterThan(1);
    expect(end).toMatchObject({ kind: 'end', end: { outcome: 'applied' } });
    expect(await image()).toBeUndefined();
    const operation = { seal: plan.seal, operationId: plan.operations[0]!.id };
    expect(await doctor.probe(operation)).toMatchObject({ state: 'applied' });
    expect((await apply(plan)).at(-1)).toEqual(end); // answered from what is known, not done again

    const cured = await examine();
    expect(cured[0]?.verdict.findings).toEqual([]);
    const receipt = end?.kind === 'end' && end.end.outcome === 'applied' ? end.end.receipt : '';
    const undo = await planFor({ undo: [receipt] });
    expect((await apply(undo)).at(-1)).toMatchObject({ end: { outcome: 'applied' } });
    expect(await image()).toBe('FAILS');
  });

  it('is probed by the next life of the doctor too, which refuses to apply', async () => {
    const plan = await planFor({
      params: { namespace: 'default', deployment: 'web', toRevision: 3 },
    });
    await apply(plan);
    await serving.stop();
    doctor.close();
    serving = await serve();
    doctor = connect(serving.port, state.token);
    const operation = { seal: plan.seal, operationId: plan.operations[0]!.id };
    expect(await doctor.probe(operation)).toMatchObject({ state: 'applied' });
    await expect(apply(plan)).rejects.toMatchObject({ code: 'REMEDY_SEAL' });
  });

  it.each([
    ['no deployment', { namespace: 'default' }, 'deployment'],
    [
      'an absurd revision',
      { namespace: 'default', deployment: 'web', toRevision: -1 },
      'toRevision',
    ],
    ['an unknown parameter', { namespace: 'default', deployment: 'web', force: true }, 'force'],
  ])('refuses %s and says which', async (_what, params, says) => {
    await expect(planFor({ params })).rejects.toMatchObject({
      code: 'REMEDY_PARAMETERS',
      message: expect.stringContaining(says),
    });
  });

  it('plans nothing on a hostile name', async () => {
    const params = { namespace: 'default/../../secrets', deployment: '../web' };
    await expect(planFor({ params })).rejects.toThrow('there is no Deployment');
  });

  it('answers within its budget while the API server is stopped', async () => {
    const fault = freezeComponent(kubernetes, 'kube-apiserver');
    const began = performance.now();
    const results = await examine();
    expect(performance.now() - began).toBeLessThan(5000);
    expect(results.flatMap(({ verdict }) => verdict.blind?.map(({ why }) => why))).toEqual(
      CHECKS.map(() => 'timeout'),
    );
    await fault.end();
    await waitUntil(
      async () => !statuses(await examine()).some((one) => one.endsWith('blind')) || undefined,
      { what: 'an answer', withinMs: 30_000 },
    );
  });

  it('starts as a process, says so, and ends with its parent’s pipe', async () => {
    const main = fileURLToPath(new URL('main.ts', import.meta.url));
    const child = spawn(process.execPath, ['--conditions=@starr/source', main], {
      env: { PATH: process.env['PATH'], STARR_CONFIG: configPath, STARR_ENDS_WITH_STDIN: '1' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    expect(JSON.parse(String(line))).toMatchObject({ ready: 'k8s-doctor' });
    child.stdin.end();
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(0);
  });
});

function web(): unknown {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: 'app',
              image: 'web',
              readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 1 },
            },
          ],
        },
      },
    },
  };
}

function failing(): unknown {
  const containers = [{ name: 'app', env: [{ name: 'FAILS', value: 'yes' }] }];
  return { spec: { template: { spec: { containers } } } };
}

/** The Role of `starr grants`, by API: what the command itself does is proved in libs/kubernetes. */
async function grantAll(api: KubeApi): Promise<void> {
  const base = '/apis/rbac.authorization.k8s.io/v1/namespaces/default';
  const metadata = { name: 'looks' };
  const rules = [
    { apiGroups: [''], resources: ['pods', 'events'], verbs: ['list'] },
    { apiGroups: [''], resources: ['pods/log', 'namespaces'], verbs: ['get'] },
    { apiGroups: ['apps'], resources: ['replicasets', 'deployments'], verbs: ['list'] },
    { apiGroups: ['autoscaling'], resources: ['horizontalpodautoscalers'], verbs: ['list'] },
  ];
  await api.ask({ method: 'POST', path: `${base}/roles`, body: { metadata, rules } });
  const apiGroup = 'rbac.authorization.k8s.io';
  const body = {
    metadata,
    roleRef: { apiGroup, kind: 'Role', name: 'looks' },
    subjects: [{ apiGroup, kind: 'User', name: 'looker' }],
  };
  await api.ask({ method: 'POST', path: `${base}/rolebindings`, body });
}
