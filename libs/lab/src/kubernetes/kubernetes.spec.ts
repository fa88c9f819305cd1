import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  crashComponent,
  forgetHistory,
  freezeComponent,
  throttleUser,
} from '../faults/kubernetes-faults.ts';
import { buildGoTools } from '../go-tools.ts';
import { waitUntil } from '../wait-until.ts';
import { type KubeApi, createKubeApi } from './kube-api.ts';
import { type LabKubernetes, startKubernetes } from './start-kubernetes.ts';

// patient: compilers and other specs may have the machine meanwhile
jest.setTimeout(120_000);

const tools = await buildGoTools('kubernetes');
const onKubernetes = tools.kind === 'present' ? describe : describe.skip;
const because = tools.kind === 'present' ? '' : ` (skipped: ${tools.why})`;

interface Listed {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly unknown[];
}

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';

onKubernetes(`a cluster of the lab${because}`, () => {
  let cluster: LabKubernetes;
  let admin: KubeApi;
  beforeAll(async () => {
    cluster = await startKubernetes({ users: ['limited'], eventTtlSeconds: 3 });
    admin = cluster.api();
  });
  afterAll(() => (cluster as LabKubernetes | undefined)?.stop());

  const make = (name: string): Promise<unknown> =>
    admin.ask({
      method: 'POST',
      path: CONFIG_MAPS,
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } },
    });
  const statusAs = async (user: string, path: string): Promise<number> =>
    (await cluster.api(user).send({ method: 'GET', path })).status;

  it('lets a user do what a role binds to it, and nothing before', async () => {
    expect(await statusAs('diagnoser', '/api/v1/namespaces/default/pods')).toBe(403);
    await admin.ask({
      method: 'POST',
      path: '/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles',
      body: {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { name: 'pods' },
        rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }],
      },
    });
    await admin.ask({
      method: 'POST',
      path: '/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings',
      body: {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name: 'pods' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'pods' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'diagnoser' }],
      },
    });
    await waitUntil(
      async () =>
        (await statusAs('diagnoser', '/api/v1/namespaces/default/pods')) === 200 || undefined,
      { what: 'the role' },
    );
    expect(await statusAs('diagnoser', CONFIG_MAPS)).toBe(403);
    expect(await statusAs('limited', '/api/v1/namespaces/default/pods')).toBe(403);
  });

  it('answers a wrong token with 401', async () => {
    const stranger = createKubeApi({ url: cluster.url, caPem: cluster.caPem, token: 'wrong' });
    expect((await stranger.send({ method: 'GET', path: CONFIG_MAPS })).status).toBe(401);
    stranger.close();
    expect(() => cluster.tokenOf('nobody')).toThrow('no user nobody in this cluster');
  });

  it('forgets events as soon as it was told to', async () => {
    const events = '/api/v1/namespaces/default/events';
    const names = async (): Promise<string[]> => {
      const list = await admin.ask<{ items: { metadata: { name: string } }[] }>({
        method: 'GET',
        path: events,
      });
      return list.items.map((one) => one.metadata.name);
    };
    await admin.ask({
      method: 'POST',
      path: events,
      body: {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: 'old' },
        involvedObject: { kind: 'Namespace', namespace: 'default', name: 'default' },
        reason: 'Test',
        type: 'Normal',
      },
    });
    expect(await names()).toContain('old');
    const isGone = async (): Promise<true | undefined> =>
      !(await names()).includes('old') || undefined;
    await waitUntil(isGone, { what: 'the end of the event', withinMs: 40_000 });
  });

  it('throttles one user and nobody else', async () => {
    const fault = await throttleUser(cluster, 'limited');
    const api = cluster.api('limited');
    for (let request = 0; request < 5; request += 1) {
      const answer = await api.send({ method: 'GET', path: '/version' });
      expect([answer.status, answer.headers['retry-after']]).toEqual([429, '1']);
    }
    expect(await statusAs('admin', '/version')).toBe(200);
    await fault.end();
    expect(await statusAs('limited', '/version')).toBe(200);
  });

  it('answers nothing while its API server is frozen, and goes on afterwards', async () => {
    const fault = freezeComponent(cluster, 'kube-apiserver');
    const early = cluster.api().send({ method: 'GET', path: '/version', timeoutMs: 300 });
    await expect(early).rejects.toMatchObject({ name: 'TimeoutError' });
    await fault.end();
    expect(await statusAs('admin', '/version')).toBe(200);
  });

  it('refuses connections while its API server is gone, and has lost nothing when it is back', async () => {
    await make('kept');
    const pid = cluster.pid('kube-apiserver');
    const fault = await crashComponent(cluster, 'kube-apiserver');
    await expect(statusAs('admin', '/version')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await fault.end();
    expect(cluster.pid('kube-apiserver')).not.toBe(pid);
    expect(await statusAs('admin', `${CONFIG_MAPS}/kept`)).toBe(200);
  });

  it('answers 410 to whoever comes back with a version that is compacted away', async () => {
    for (const name of ['a', 'b', 'c']) await make(name);
    const page = await admin.ask<Listed>({ method: 'GET', path: `${CONFIG_MAPS}?limit=2` });
    const { resourceVersion, continue: token = '' } = page.metadata;
    await make('d');
    await forgetHistory(cluster);
    const rest = `${CONFIG_MAPS}?limit=2&continue=${encodeURIComponent(token)}`;
    expect(await statusAs('admin', rest)).toBe(410);
    const lines = admin.lines(
      `${CONFIG_MAPS}?watch=1&resourceVersion=${resourceVersion}`,
      AbortSignal.timeout(5000),
    );
    const { value } = await lines.next();
    expect(JSON.parse(String(value))).toMatchObject({ type: 'ERROR', object: { code: 410 } });
    await lines.return();
  });
});

onKubernetes(`a cluster that is told to take few requests${because}`, () => {
  it('answers 429 to whoever comes while its places are taken', async () => {
    await using cluster = await startKubernetes({ maxRequestsInflight: 1 });
    // an API server of one place is busy with its own components now and then: many at once must meet it
    const api = cluster.api('diagnoser');
    const many = await Promise.all(
      Array.from({ length: 200 }, () => api.send({ method: 'GET', path: '/version' })),
    );
    const statuses = new Set(many.map((one) => one.status));
    expect([...statuses].sort()).toEqual([200, 429]);
  });
});
