import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { crashComponent } from '../faults/kubernetes-faults.ts';
import { buildGoTools } from '../go-tools.ts';
import { type KubeApi, createKubeApi } from '../kubernetes/kube-api.ts';
import { type LabKubernetes, startKubernetes } from '../kubernetes/start-kubernetes.ts';
import { isAlive } from '../leash.ts';
import { waitUntil } from '../wait-until.ts';
import { pidOfContainer } from './container-id.ts';
import type { ContainerStatus, Pod } from './pod-types.ts';
import { type LabNodes, startLabNodes } from './start-lab-nodes.ts';
import {
  DEPLOYMENTS,
  NAMESPACE,
  type PodParts,
  TEST_IMAGES,
  deploymentObject,
  getPod,
  listPods,
  listenForCallers,
  podObject,
} from './test-pods.ts';

// patient: compilers and other specs may have the machine meanwhile
jest.setTimeout(90_000);
const PATIENCE_MS = 40_000;

const tools = await buildGoTools('kubernetes');
const onKubernetes = tools.kind === 'present' ? describe : describe.skip;
const because = tools.kind === 'present' ? '' : ` (skipped: ${tools.why})`;

interface Event {
  readonly reason: string;
  readonly message: string;
  readonly type: string;
  readonly count: number;
  readonly involvedObject: { readonly name: string };
}

const pidsOf = (pods: readonly Pod[]): number[] =>
  pods.map((pod) => pidOfContainer(first(pod).containerID ?? '') ?? 0);

const first = (pod: Pod): ContainerStatus => pod.status!.containerStatuses![0]!;

onKubernetes(`pods that are processes${because}`, () => {
  let cluster: LabKubernetes;
  let nodes: LabNodes;
  let api: KubeApi;
  beforeAll(async () => {
    cluster = await startKubernetes();
    api = cluster.api();
    nodes = await startLabNodes(cluster, {
      images: TEST_IMAGES,
      backOff: { baseMs: 400, maxMs: 1600 },
    });
  }, 120_000);
  afterEach(async () => {
    await api.ask({ method: 'DELETE', path: DEPLOYMENTS });
    await api.ask({ method: 'DELETE', path: `${NAMESPACE}/pods?gracePeriodSeconds=0` });
    const none = async (): Promise<true | undefined> => {
      const list = await api.ask<{ items: Pod[] }>({ method: 'GET', path: `${NAMESPACE}/pods` });
      return list.items.length === 0 || undefined;
    };
    await waitUntil(none, { what: 'no pod left', withinMs: PATIENCE_MS });
  });
  afterAll(async () => {
    await (nodes as LabNodes | undefined)?.stop();
    await (cluster as LabKubernetes | undefined)?.stop();
  });

  const create = (name: string, parts: PodParts): Promise<unknown> =>
    api.ask({ method: 'POST', path: `${NAMESPACE}/pods`, body: podObject(name, parts) });
  const podThat = (
    name: string,
    what: string,
    is: (pod: Pod, status: ContainerStatus) => boolean,
  ): Promise<Pod> =>
    waitUntil(
      async () => {
        const pod = await getPod(api, name);
        return pod.status?.containerStatuses && is(pod, first(pod)) ? pod : undefined;
      },
      { what: `${name} ${what}`, withinMs: PATIENCE_MS },
    );
  const running = (name: string): Promise<Pod> =>
    podThat(name, 'running', (_, status) => status.state.running !== undefined);
  const eventsOf = async (name: string): Promise<readonly Event[]> => {
    const path = `${NAMESPACE}/events?limit=500`;
    const { items } = await api.ask<{ items: Event[] }>({ method: 'GET', path });
    return items.filter((event) => event.involvedObject.name === name);
  };
  const logOf = (name: string, query = ''): Promise<string> =>
    api.ask<string>({ method: 'GET', path: `${NAMESPACE}/pods/${name}/log${query}` });
  const answerOf = async (pod: Pod): Promise<string> =>
    (await fetch(`http://${pod.status?.podIP ?? ''}:8080/`)).text();

  describe('a rollout', () => {
    const template = (revision: string, homePort: number): object => ({
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: 'app',
          image: 'web',
          env: [
            { name: 'REV', value: revision },
            { name: 'HOME_PORT', value: String(homePort) },
          ],
          readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 1 },
        },
      ],
    });
    const rolledOut = (generation: number): Promise<readonly Pod[]> =>
      waitUntil(
        async () => {
          const { status } = await api.ask<{ status: Record<string, number> }>({
            method: 'GET',
            path: `${DEPLOYMENTS}/web`,
          });
          const isDone =
            (status['observedGeneration'] ?? 0) >= generation &&
            ['replicas', 'updatedReplicas', 'readyReplicas'].every((name) => status[name] === 2);
          const pods = isDone ? await listPods(api, 'web') : [];
          return pods.length === 2 ? pods : undefined;
        },
        { what: `rollout ${generation}`, withinMs: PATIENCE_MS },
      );
    const change = (revision: string, homePort: number): Promise<unknown> =>
      api.ask({
        method: 'PATCH',
        patch: 'json',
        path: `${DEPLOYMENTS}/web`,
        body: [{ op: 'replace', path: '/spec/template/spec', value: template(revision, homePort) }],
      });

    it('replaces the processes, and a rollback brings the old program back', async () => {
      const home = await listenForCallers();
      const body = deploymentObject('web', 2, template('1', home.port));
      await api.ask({ method: 'POST', path: DEPLOYMENTS, body });
      const one = await rolledOut(1);
      expect(await Promise.all(one.map(answerOf))).toEqual(['1', '1']);
      expect(pidsOf(one).map(isAlive)).toEqual([true, true]);
      // whoever is connected to sees the pod, not 127.0.0.1
      expect([...home.callers].sort()).toEqual(one.map((pod) => pod.status?.podIP).sort());

      await change('2', home.port);
      const two = await rolledOut(2);
      expect(await Promise.all(two.map(answerOf))).toEqual(['2', '2']);
      expect(pidsOf(one).map(isAlive)).toEqual([false, false]);

      await change('1', home.port);
      const back = await rolledOut(3);
      expect(await Promise.all(back.map(answerOf))).toEqual(['1', '1']);
      expect(pidsOf(two).map(isAlive)).toEqual([false, false]);
      // the first revision's own ReplicaSet serves again: its template hash is that of its first pods
      const hashes = (pods: readonly Pod[]): unknown[] =>
        pods.map((pod) => pod.metadata.labels?.['pod-template-hash']);
      expect(hashes(back)).toEqual(hashes(one));
      home.close();
    });
  });

  describe('logs', () => {
    it('come through the API server as they would from a real node', async () => {
      await create('web', { image: 'web', container: { env: [{ name: 'REV', value: '7' }] } });
      await running('web');
      await waitUntil(async () => (await logOf('web')).split('tick').length > 5 || undefined, {
        what: 'five ticks',
      });
      const lines = (await logOf('web')).split('\n');
      expect(lines).toContain('{"started":"7"}');
      expect(lines).toContain('to stderr');
      expect(await logOf('web', '?tailLines=2')).toBe('tick\ntick\n');
      expect(await logOf('web', '?limitBytes=7&tailLines=5')).toBe('tick\nti');
      expect(await logOf('web', '?timestamps=true&tailLines=1')).toMatch(
        /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z tick\n$/,
      );
      expect((await logOf('web', '?sinceSeconds=10')).split('\n')).toContain('tick');
      await waitUntil(
        async () => !(await logOf('web', '?sinceSeconds=1')).includes('started') || undefined,
        { what: 'the first line to be older than a second' },
      );
    });

    it('are followed until the pod ends, its last line included', async () => {
      await create('web', { image: 'web' });
      await running('web');
      const seen: string[] = [];
      const following = (async () => {
        const path = `${NAMESPACE}/pods/web/log?follow=true`;
        for await (const line of api.lines(path, AbortSignal.timeout(PATIENCE_MS))) seen.push(line);
      })();
      await waitUntil(() => seen.includes('tick') || undefined, { what: 'a tick' });
      await api.ask({ method: 'DELETE', path: `${NAMESPACE}/pods/web` });
      await following;
      expect(seen.at(-1)).toBe('goodbye');
    });

    it('are refused in the words of a kubelet where there are none', async () => {
      await create('web', { image: 'web' });
      await create('imageless', { image: 'nowhere/none:1' });
      await running('web');
      await podThat('imageless', 'waiting', (_, { state }) => state.waiting !== undefined);
      const refused = (name: string, query: string): Promise<unknown> =>
        api.send({ method: 'GET', path: `${NAMESPACE}/pods/${name}/log${query}` });
      expect(await refused('web', '?previous=true')).toMatchObject({
        status: 400,
        body: { message: expect.stringContaining('previous terminated container "app"') },
      });
      expect(await refused('imageless', '')).toMatchObject({
        status: 400,
        body: { message: expect.stringContaining('is waiting to start') },
      });
    });

    it('are not for anybody but the API server', async () => {
      const node = await api.ask<{
        status: { daemonEndpoints: { kubeletEndpoint: { Port: number } } };
      }>({ method: 'GET', path: `/api/v1/nodes/${nodes.nodes[0]!.name}` });
      const port = node.status.daemonEndpoints.kubeletEndpoint.Port;
      const stranger = createKubeApi({
        url: `https://${nodes.nodes[0]!.address}:${port}`,
        caPem: cluster.caPem,
        token: cluster.tokenOf('admin'),
      });
      await expect(stranger.send({ method: 'GET', path: '/healthz' })).rejects.toThrow();
      stranger.close();
    });
  });

  describe('a container that ends', () => {
    it('is restarted at once, then ever later, and the status tells what happened', async () => {
      await create('crash', { image: 'crash' });
      const isHeldBack = ({ state }: ContainerStatus): boolean =>
        state.waiting?.reason === 'CrashLoopBackOff';
      const pod = await podThat(
        'crash',
        'held back after three restarts',
        (_, status) => status.restartCount >= 3 && isHeldBack(status),
      );
      const status = first(pod);
      expect(status.lastState.terminated).toMatchObject({ exitCode: 3, reason: 'Error' });
      expect(status.state.waiting?.message).toMatch(
        /^back-off 1\.6s restarting failed container=app pod=crash_default\(/,
      );
      expect([pod.status?.phase, status.ready]).toEqual(['Running', false]);
      const condition = pod.status?.conditions?.find((one) => one.type === 'Ready');
      expect(condition).toMatchObject({
        status: 'False',
        reason: 'ContainersNotReady',
        message: 'containers with unready status: [app]',
      });
      for (const query of ['', '?previous=true']) {
        // the next run may have begun, and not have spoken yet
        await waitUntil(
          async () => (await logOf('crash', query)) === 'run of crash\n' || undefined,
          {
            what: `the log ${query}`,
          },
        );
      }
      const backOff = await waitUntil(
        async () => (await eventsOf('crash')).find((event) => event.reason === 'BackOff'),
        { what: 'the event' },
      );
      expect(backOff.type).toBe('Warning');
      expect(backOff.message).toMatch(/^Back-off restarting failed container app in pod crash_/);
    });

    it('is left alone where its pod says so, and the pod is then over', async () => {
      const spec = { restartPolicy: 'Never' };
      await create('good', { image: 'once', spec });
      await create('bad', { image: 'crash', spec });
      const good = await podThat('good', 'over', (pod) => pod.status?.phase === 'Succeeded');
      const bad = await podThat('bad', 'over', (pod) => pod.status?.phase === 'Failed');
      expect(first(good).state.terminated).toMatchObject({ exitCode: 0, reason: 'Completed' });
      expect(first(bad).state.terminated).toMatchObject({ exitCode: 3, reason: 'Error' });
      expect([first(good).restartCount, first(bad).restartCount]).toEqual([0, 0]);
    });

    it('by a signal ends with 128 and its number', async () => {
      await create('web', { image: 'web' });
      await running('web');
      process.kill(await nodes.processOf('default', 'web'), 'SIGSEGV');
      const pod = await podThat('web', 'restarted', (_, status) => status.restartCount === 1);
      expect(first(pod).lastState.terminated?.exitCode).toBe(139);
    });

    it('of hunger is called OOMKilled', async () => {
      const resources = { limits: { memory: '150Mi' } };
      await create('hungry', { image: 'hungry', container: { resources } });
      const pod = await podThat('hungry', 'killed', (_, status) => status.restartCount > 0);
      expect(first(pod).lastState.terminated).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
    });

    it('because it is deaf to its liveness probe is restarted', async () => {
      const livenessProbe = { httpGet: { port: 8080 }, periodSeconds: 1, failureThreshold: 2 };
      await create('deaf', { image: 'deaf', container: { livenessProbe } });
      const pod = await podThat('deaf', 'restarted', (_, status) => status.restartCount === 1);
      expect(first(pod).lastState.terminated?.exitCode).toBe(143);
      const reasons = (await eventsOf('deaf')).map((event) => event.reason);
      expect(reasons).toEqual(expect.arrayContaining(['Unhealthy', 'Killing']));
    });
  });

  describe('a container that cannot start', () => {
    it('waits for an image that is nowhere', async () => {
      await create('imageless', { image: 'nowhere/none:1' });
      const pod = await podThat(
        'imageless',
        'backing off',
        (_, { state }) => state.waiting?.reason === 'ImagePullBackOff',
      );
      expect(pod.status?.phase).toBe('Pending');
      const messages = (await eventsOf('imageless')).map((event) => event.message);
      expect(messages).toContain('Back-off pulling image "nowhere/none:1"');
    });

    it('has no process to restart, and says so, without harm to others', async () => {
      await create('homeless', { image: 'homeless' });
      const pod = await podThat('homeless', 'ended', (_, status) => status.restartCount > 0);
      expect(first(pod).lastState.terminated).toMatchObject({
        exitCode: 128,
        reason: 'StartError',
      });
      await create('web', { image: 'web' });
      await running('web');
    });

    it('because init containers would have to run first, says so', async () => {
      const spec = { initContainers: [{ name: 'first', image: 'once' }] };
      await create('web', { image: 'web', spec });
      const isRefused = (_: Pod, { state }: ContainerStatus): boolean =>
        state.waiting?.reason === 'CreateContainerError';
      const pod = await podThat('web', 'refused', isRefused);
      expect(first(pod).state.waiting?.message).toContain('runs no init containers');
    });

    it('waits for its ConfigMap and starts when it is there', async () => {
      const env = [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'late', key: 'a' } } }];
      await create('late', { image: 'env', container: { env } });
      const waiting = await podThat(
        'late',
        'waiting',
        (_, { state }) => state.waiting?.reason === 'CreateContainerConfigError',
      );
      expect(first(waiting).state.waiting?.message).toBe('configmap "late" not found');
      await api.ask({
        method: 'POST',
        path: `${NAMESPACE}/configmaps`,
        body: {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'late' },
          data: { a: 'there' },
        },
      });
      await running('late');
      const env1 = await waitUntil(
        async () => JSON.parse(await logOf('late')) as Record<string, string>,
        { what: 'its environment' },
      );
      expect(env1['A']).toBe('there');
    });
  });

  it('give their program its variables: values, fields, secrets, and names within names', async () => {
    await api.ask({
      method: 'POST',
      path: `${NAMESPACE}/secrets`,
      body: {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'keys' },
        stringData: { token: 's3cret' },
      },
    });
    const field = (fieldPath: string): object => ({ valueFrom: { fieldRef: { fieldPath } } });
    await create('env', {
      image: 'env:1.2.3',
      container: {
        envFrom: [{ prefix: 'K_', secretRef: { name: 'keys' } }],
        env: [
          { name: 'IP', ...field('status.podIP') },
          { name: 'NODE', ...field('spec.nodeName') },
          { name: 'APP', ...field("metadata.labels['app']") },
          { name: 'URL', value: 'http://$(IP)/$(APP)/$(UNKNOWN)/$$(IP)' },
        ],
      },
    });
    const pod = await running('env');
    const env = await waitUntil(
      async () => JSON.parse(await logOf('env')) as Record<string, string>,
      { what: 'its environment' },
    );
    const ip = pod.status?.podIP ?? '';
    expect(env).toMatchObject({
      K_token: 's3cret',
      IP: ip,
      STARR_POD_IP: ip,
      STARR_IMAGE: 'env:1.2.3',
      POD_NAME: 'env',
      NODE: pod.spec.nodeName,
      APP: 'env',
      URL: `http://${ip}/env/$(UNKNOWN)/$(IP)`,
    });
  });

  describe('a deleted pod', () => {
    it('is told to end, ends well, and only then is gone', async () => {
      await create('web', { image: 'web', spec: { terminationGracePeriodSeconds: 20 } });
      const pod = await running('web');
      const [pid] = pidsOf([pod]);
      await api.ask({ method: 'DELETE', path: `${NAMESPACE}/pods/web` });
      const gone = async (): Promise<true | undefined> => {
        const { status } = await api.send({ method: 'GET', path: `${NAMESPACE}/pods/web` });
        return status === 404 || undefined;
      };
      await waitUntil(gone, { what: 'the end of the pod', withinMs: 15_000 });
      expect(isAlive(pid!)).toBe(false);
      expect((await eventsOf('web')).map((event) => event.reason)).toContain('Killing');
    });

    it('that does not listen is killed after its grace', async () => {
      await create('stubborn', { image: 'stubborn' });
      const [pid] = pidsOf([await running('stubborn')]);
      const since = performance.now();
      await api.ask({ method: 'DELETE', path: `${NAMESPACE}/pods/stubborn` });
      await waitUntil(() => !isAlive(pid!) || undefined, { what: 'its end' });
      expect(performance.now() - since).toBeGreaterThanOrEqual(950);
    });
  });

  describe('a machine without power', () => {
    it('takes its pods with it, and starts them again when it is back', async () => {
      await create('web', { image: 'web' });
      const [pid] = pidsOf([await running('web')]);
      await nodes.kill();
      await waitUntil(() => !isAlive(pid!) || undefined, { what: 'the end of its pod' });
      expect(first(await getPod(api, 'web')).state.running).toBeDefined(); // nobody told the API server
      await nodes.restart();
      const pod = await podThat('web', 'up again', (_, status) => status.restartCount === 1);
      expect(first(pod).lastState.terminated).toMatchObject({ exitCode: 255, reason: 'Unknown' });
      const again = await running('web');
      expect(isAlive(pidsOf([again])[0]!)).toBe(true);
    });
  });

  // last: the scheduler takes its time to come back to an API server that was away
  it('go on without the API server, which hears afterwards what happened', async () => {
    await create('web', { image: 'web', container: { env: [{ name: 'REV', value: '1' }] } });
    const pod = await running('web');
    const [pid] = pidsOf([pod]);
    await waitUntil(() => answerOf(pod), { what: 'its answer' });
    await using fault = await crashComponent(cluster, 'kube-apiserver');
    expect(await answerOf(pod)).toBe('1');
    process.kill(pid!, 'SIGKILL');
    await waitUntil(() => answerOf(pod), {
      what: 'the answer of its next run',
      withinMs: PATIENCE_MS,
    });
    await fault.end();
    const again = await podThat('web', 'restarted', (_, status) => status.restartCount === 1);
    expect(first(again).lastState.terminated?.exitCode).toBe(137);
    expect(isAlive(pidsOf([await running('web')])[0]!)).toBe(true);
  });
});
