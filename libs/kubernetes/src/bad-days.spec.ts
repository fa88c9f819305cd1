import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { statusOf, systemClock, type BlindSpot } from '@starr/kernel';
import {
  buildGoTools,
  crashComponent,
  forgetHistory,
  freezeComponent,
  throttleUser,
  waitUntil,
  type Fault,
} from '@starr/lab';
import { applyAct, type Acting } from './adapter/apply.ts';
import type { Asker } from './adapter/ask.ts';
import { createClient } from './adapter/client.ts';
import { createKubernetesAdapter } from './adapter/create-kubernetes-adapter.ts';
import { listPages } from './adapter/list.ts';
import { RESOURCES } from './adapter/resources.ts';
import { kubernetesCatalog } from './catalog.ts';
import { ACTING_NEEDS, DIAGNOSING_NEEDS, type Need } from './grants/needs.ts';
import type { KubernetesAct } from './request.ts';
import {
  applyToEnd,
  limitOf,
  planRollback,
  runAs,
  sweepOnce,
  type KubernetesAdapter,
  type Swept,
} from './test/sweep-once.ts';
import {
  DIAGNOSER,
  NAMESPACE,
  OPERATOR,
  startTestCluster,
  type TestCluster,
} from './test/test-cluster.ts';

jest.setTimeout(90_000);

const tools = await buildGoTools('kubernetes');
const kubectl = await buildGoTools('kubectl');
const missing = tools.kind === 'missing' ? tools : kubectl.kind === 'missing' ? kubectl : undefined;
const onKubernetes = missing ? describe.skip : describe;

const rulesOf = (needs: readonly Need[]) =>
  needs.map(({ verb, group, resource }) => ({
    apiGroups: [group],
    resources: [resource],
    verbs: [verb],
  }));
const userWithout = (need: Need) => `without-${need.verb}-${need.resource.replace('/', '-')}`;
const IDS = kubernetesCatalog.diagnostics.map(({ id }) => id);

onKubernetes(`bad days of an API server${missing ? ` (skipped: ${missing.why})` : ''}`, () => {
  let cluster: TestCluster;
  let adapter: KubernetesAdapter;
  const open: KubernetesAdapter[] = [];

  const adapterFor = async (
    user: string,
    namespaces: readonly string[] = [NAMESPACE],
  ): Promise<KubernetesAdapter> => {
    const made = createKubernetesAdapter({
      diagnosing: { kind: 'kubeconfig', path: await cluster.lab.kubeconfigFor(user) },
      acting: { kind: 'kubeconfig', path: await cluster.lab.kubeconfigFor(OPERATOR) },
      namespaces,
    });
    open.push(made);
    return made;
  };
  const blindOf = (swept: Swept, id: string): readonly BlindSpot[] =>
    swept.verdicts[id]?.blind ?? [];
  const statusAt = ({ verdicts }: Swept, id: string) => statusOf(verdicts[id] ?? { measured: [] });
  const statuses = (swept: Swept) => IDS.map((id) => statusAt(swept, id));
  const allHealthy = async (): Promise<true | undefined> => {
    const swept = await sweepOnce(adapter);
    return (
      (statuses(swept).every((status) => status === 'healthy') &&
        IDS.every((id) => blindOf(swept, id).length === 0)) ||
      undefined
    );
  };

  /** Resolves when it has stopped indeed: a signal takes its time on a busy machine. */
  const freezeApiServer = async (): Promise<Fault> => {
    const fault = freezeComponent(cluster.lab, 'kube-apiserver');
    const stat = `/proc/${cluster.lab.pid('kube-apiserver')}/stat`;
    const stopped = async () => /\) [Tt] /.test(await readFile(stat, 'utf8')) || undefined;
    await waitUntil(stopped, { what: 'a stopped API server' });
    return fault;
  };

  beforeAll(async () => {
    cluster = await startTestCluster({ users: DIAGNOSING_NEEDS.map(userWithout) });
    await cluster.allow(DIAGNOSER, rulesOf(DIAGNOSING_NEEDS));
    await cluster.allow(OPERATOR, rulesOf(ACTING_NEEDS));
    for (const need of DIAGNOSING_NEEDS) {
      await cluster.allow(
        userWithout(need),
        rulesOf(DIAGNOSING_NEEDS.filter((one) => one !== need)),
      );
    }
    await cluster.admin.ask({
      method: 'POST',
      path: '/api/v1/namespaces',
      body: { metadata: { name: 'empty' } },
    });
    adapter = await adapterFor(DIAGNOSER);
    await cluster.deploy('checkout');
    await cluster.rolledOut('checkout');
    await waitUntil(allHealthy, { what: 'a healthy sweep' });
  }, 180_000);
  afterAll(async () => {
    await Promise.all(open.map((one) => one.close()));
    await (cluster as TestCluster | undefined)?.stop();
  });

  describe('403 on one resource', () => {
    interface Denied {
      /** Checks that cannot answer at all, and those that answer in part. */
      readonly blind: readonly string[];
      readonly partial: readonly string[];
    }
    const EFFECTS: Readonly<Record<string, Denied>> = {
      pods: { blind: ['k8s.restarts'], partial: ['k8s.pod-status', 'k8s.error-distribution'] },
      'pods/log': { blind: ['k8s.error-distribution'], partial: [] },
      events: { blind: [], partial: ['k8s.pod-status'] },
      replicasets: { blind: ['k8s.rollouts'], partial: ['k8s.error-distribution'] },
      deployments: { blind: [], partial: ['k8s.pod-status', 'k8s.rollouts'] },
    };

    it.each(DIAGNOSING_NEEDS.filter(({ resource }) => resource in EFFECTS))(
      '$resource: denied, all else as usual, and the cure cures',
      async (need) => {
        const denied = await adapterFor(userWithout(need));
        const swept = await sweepOnce(denied);
        const { blind, partial } = EFFECTS[need.resource] ?? { blind: [], partial: [] };
        for (const id of IDS) {
          const spots = blindOf(swept, id);
          expect([id, statusAt(swept, id)]).toEqual([id, blind.includes(id) ? 'blind' : 'healthy']);
          expect([id, spots.map(({ why }) => why)]).toEqual([
            id,
            [...blind, ...partial].includes(id) ? ['denied'] : [],
          ]);
        }
        const cure = blindOf(swept, [...blind, ...partial][0] ?? '')[0]?.cure ?? '';
        expect(cure).toContain(`--verb=${need.verb} --resource=${need.resource}`);
        await runAs(
          cluster.lab.adminKubeconfig,
          kubectl.kind === 'present' ? kubectl.folder : '',
          cure,
        );
        await waitUntil(
          async () => {
            const cured = await sweepOnce(denied);
            return IDS.every((id) => blindOf(cured, id).length === 0) || undefined;
          },
          { what: 'no blind spot left' },
        );
      },
    );

    it('autoscalers: a plan says that it could not see them', async () => {
      const denied = await adapterFor('without-list-horizontalpodautoscalers');
      await cluster.deploy('fought', { replicas: 1 });
      await cluster.rolledOut('fought');
      await cluster.setEnv('fought', { REVISION: '2' });
      await cluster.rolledOut('fought');
      const [rollback] = kubernetesCatalog.remedies;
      const { warnings } = await planRollback(
        denied,
        (seen, look) =>
          rollback?.plan({ namespace: NAMESPACE, deployment: 'fought' }, seen, look) ?? {
            refused: 'none',
          },
      );
      expect(warnings).toContainEqual(
        expect.stringMatching(
          /autoscaler.*may not list horizontalpodautoscalers in namespace shop \(403\)/,
        ),
      );
    });

    it('one namespace of two: what was seen, and a blind spot for the other', async () => {
      const swept = await sweepOnce(await adapterFor(DIAGNOSER, [NAMESPACE, 'empty']));
      expect(statuses(swept)).toEqual(IDS.map(() => 'healthy'));
      expect(blindOf(swept, 'k8s.restarts')).toEqual([
        expect.objectContaining({
          why: 'denied',
          detail: 'diagnoser may not list pods in namespace empty (403)',
          cure: expect.stringContaining('--namespace=empty'),
        }),
      ]);
    });
  });

  it('a namespace that is not there is no healthy one; an empty one is', async () => {
    const swept = await sweepOnce(await adapterFor('admin', ['empty', 'shoop']));
    expect(blindOf(swept, 'k8s.pod-status')).toEqual([
      expect.objectContaining({
        why: 'unsupported',
        detail: 'There is no namespace shoop in this cluster',
      }),
    ]);
    expect(statuses(await sweepOnce(await adapterFor('admin', ['empty'])))).toEqual(
      IDS.map(() => 'healthy'),
    );
  });

  it('401: denied, and the cure is the credential', async () => {
    const wrong = createKubernetesAdapter({
      diagnosing: {
        kind: 'token',
        server: cluster.lab.url,
        token: 'wrong',
        caFile: await caFile(),
      },
      namespaces: [NAMESPACE],
    });
    open.push(wrong);
    const swept = await sweepOnce(wrong);
    for (const id of IDS) {
      expect(blindOf(swept, id)).toEqual([
        {
          kind: 'blind',
          why: 'denied',
          detail: 'The API server does not accept the credential (401, first contact)',
          cure: expect.stringContaining('Renew the token'),
        },
      ]);
    }
  });

  it('a certificate that is not trusted: unreachable, and nothing was sent', async () => {
    const distrustful = createKubernetesAdapter({
      diagnosing: { kind: 'token', server: cluster.lab.url, token: cluster.lab.tokenOf(DIAGNOSER) },
      namespaces: [NAMESPACE],
    });
    open.push(distrustful);
    expect(blindOf(await sweepOnce(distrustful), 'k8s.restarts')).toEqual([
      expect.objectContaining({
        why: 'unreachable',
        detail: expect.stringContaining('No trust in the API server'),
        cure: expect.stringContaining('certificate-authority'),
      }),
    ]);
  });

  it('429: unreachable for now, asked again only as the server allows', async () => {
    const fault = await throttleUser(cluster.lab, DIAGNOSER);
    const swept = await sweepOnce(adapter);
    expect(blindOf(swept, 'k8s.pod-status')).toEqual([
      expect.objectContaining({
        why: 'unreachable',
        detail: 'The API server turns requests away (429, first contact)',
      }),
    ]);
    expect(swept.ms).toBeLessThan(5000);
    expect(swept.spent['reads']).toBeLessThanOrEqual(3); // Retry-After: 1
    await fault.end();
    await waitUntil(allHealthy, { what: 'a healthy sweep' });
  });

  it('429 that ends within the time: asked again, and the answer', async () => {
    const fault = await throttleUser(cluster.lab, DIAGNOSER);
    const limit = limitOf({ timeoutMs: 10_000 });
    const greeting = adapter.greet(limit);
    await systemClock.sleep(300);
    await fault.end();
    expect((await greeting).version).toBe('v1.36.3');
    expect(limit.spent['reads']).toBeGreaterThan(1);
  });

  it('stopped: timeout, within five seconds, and well again when it goes on', async () => {
    const fault = await freezeApiServer();
    const swept = await sweepOnce(adapter);
    expect(IDS.map((id) => blindOf(swept, id).map(({ why }) => why))).toEqual(
      IDS.map(() => ['timeout']),
    );
    expect(swept.ms).toBeLessThan(5000);
    await fault.end();
    await waitUntil(allHealthy, { what: 'a healthy sweep', withinMs: 30_000 });
  });

  it('stopped after the first contact: every read times out on its own', async () => {
    const look = { now: new Date(), windowMs: 1_800_000, version: '', target: 'prod', options: {} };
    const fault = await freezeApiServer();
    const requests = kubernetesCatalog.diagnostics
      .flatMap(({ reads }) => Object.values(reads))
      .map((read) => read.request(look));
    const began = performance.now();
    const settled = await Promise.allSettled(
      requests.map((request) => adapter.perform(request as never, limitOf({ timeoutMs: 1500 }))),
    );
    expect(performance.now() - began).toBeLessThan(2500);
    expect(
      settled.map((one) =>
        one.status === 'rejected' ? (one.reason as { code: string }).code : 'answered',
      ),
    ).toEqual(settled.map(() => 'EVIDENCE_TIMEOUT'));
    await fault.end();
    await waitUntil(allHealthy, { what: 'a healthy sweep', withinMs: 30_000 });
  });

  it('killed: unreachable at once, and well again when it is back', async () => {
    const fault = await crashComponent(cluster.lab, 'kube-apiserver');
    const swept = await sweepOnce(adapter);
    expect(IDS.map((id) => blindOf(swept, id).map(({ why }) => why))).toEqual(
      IDS.map(() => ['unreachable']),
    );
    expect(blindOf(swept, 'k8s.rollouts')[0]?.detail).toMatch(
      /^No connection to the API server: connect ECONNREFUSED/,
    );
    expect(swept.ms).toBeLessThan(2000);
    await fault.end();
    await waitUntil(allHealthy, { what: 'a healthy sweep', withinMs: 30_000 });
  });

  it('410 in the middle of a list: the rest of it as it is now, nothing twice, nothing lost', async () => {
    const bodies = Array.from({ length: 650 }, (_, n) => ({
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name: `idle-${n}` },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: `idle-${n}` } },
        template: {
          metadata: { labels: { app: `idle-${n}` } },
          spec: { containers: [{ name: 'app', image: 'none' }] },
        },
      },
    }));
    const path = '/apis/apps/v1/namespaces/empty/replicasets';
    while (bodies.length > 0)
      await Promise.all(
        bodies.splice(0, 50).map((body) => cluster.admin.ask({ method: 'POST', path, body })),
      );
    const client = createClient(
      { kind: 'kubeconfig', path: cluster.lab.adminKubeconfig },
      { namespaces: [], diagnosing: { kind: 'in-cluster' } },
      systemClock,
    );
    const statusesSeen: number[] = [];
    const forgetful: Asker = async (ask, limit) => {
      if (statusesSeen.length === 1) await forgetHistory(cluster.lab);
      const answer = await client.ask(ask, limit);
      statusesSeen.push(answer.status);
      return answer;
    };
    const request = {
      resource: RESOURCES.replicaSets,
      namespace: 'empty',
      maxRows: 10_000,
      timeoutMs: 30_000,
      signal: AbortSignal.timeout(60_000),
    };
    const listed = await listPages(forgetful, request, limitOf());
    expect(statusesSeen).toEqual([200, 410, 200]);
    expect(new Set(listed.items.map(({ metadata }) => metadata?.name)).size).toBe(650);
    expect(listed).toMatchObject({ blind: [] });
    expect(listed.items).toHaveLength(650);
    const bounded = await listPages(client.ask, { ...request, maxRows: 500 }, limitOf());
    expect(bounded.items).toHaveLength(500);
    expect(bounded.blind).toEqual([
      expect.objectContaining({
        why: 'truncated',
        detail: 'Only 500 of 650 replicasets of empty were read',
      }),
    ]);
    client.close();
    await waitUntil(allHealthy, { what: 'a healthy sweep', withinMs: 30_000 });
  });

  it('a node that has lost its power: the logs are unreachable, all else as usual', async () => {
    await cluster.nodes.kill();
    const swept = await sweepOnce(adapter);
    expect(statusAt(swept, 'k8s.error-distribution')).toBe('blind');
    expect(blindOf(swept, 'k8s.error-distribution')[0]).toMatchObject({
      why: 'unreachable',
      detail: expect.stringMatching(/log of shop\/checkout/),
    });
    expect(statusAt(swept, 'k8s.rollouts')).toBe('healthy');
    await cluster.nodes.restart();
    await waitUntil(allHealthy, { what: 'a healthy sweep', withinMs: 60_000 });
  });

  describe('an act whose answer is lost', () => {
    const [rollback] = kubernetesCatalog.remedies;
    const lost = () => Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
    /** The way of the adapter, with a fault around the one request that writes. */
    const acting = (
      around: (send: () => ReturnType<Asker>) => ReturnType<Asker>,
      ask: Asker,
    ): Acting => ({
      ask: (one, limit) =>
        one.method === 'PATCH' ? around(() => ask(one, limit)) : ask(one, limit),
      looking: { ask, namespaces: [NAMESPACE] },
      clock: systemClock,
      stop: new AbortController().signal,
    });
    let turn = 1;
    const freshAct = async (): Promise<KubernetesAct> => {
      turn += 1;
      await cluster.setEnv('lossy', { REVISION: String(turn) });
      await cluster.rolledOut('lossy');
      const { operations } = await planRollback(
        adapter,
        (seen, look) =>
          rollback?.plan({ namespace: NAMESPACE, deployment: 'lossy' }, seen, look) ?? {
            refused: 'none',
          },
      );
      if (!operations[0]) throw new Error('no operation');
      return operations[0].act;
    };
    const outcomeOf = async (way: Acting, act: KubernetesAct, id: string) => {
      for await (const event of applyAct(way, act, id, limitOf({ timeoutMs: 40_000 })))
        if (event.kind === 'outcome') return event;
      throw new Error('no outcome');
    };
    const stamp = async () =>
      (await cluster.deployment('lossy')).metadata?.annotations?.['starr.dev/operation'];
    let client: ReturnType<typeof createClient>;

    beforeAll(async () => {
      await cluster.deploy('lossy', { replicas: 1 });
      await cluster.rolledOut('lossy');
      client = createClient(
        { kind: 'kubeconfig', path: cluster.lab.adminKubeconfig },
        { namespaces: [], diagnosing: { kind: 'in-cluster' } },
        systemClock,
      );
    }, 60_000);
    afterAll(() => {
      (client as ReturnType<typeof createClient> | undefined)?.close();
    });

    it('after it was done: found done by its stamp, and waited for', async () => {
      const act = await freshAct();
      let writes = 0;
      const way = acting(async (send) => {
        writes += 1;
        await send();
        throw lost();
      }, client.ask);
      expect(await outcomeOf(way, act, 'l1')).toMatchObject({
        outcome: 'applied',
        after: { availableReplicas: 1 },
      });
      expect([writes, await stamp()]).toEqual([1, 'l1']);
    });

    it('before it was done: found not done, failed clean, not tried again', async () => {
      const act = await freshAct();
      let writes = 0;
      const way = acting(() => {
        writes += 1;
        return Promise.reject(lost());
      }, client.ask);
      expect(await outcomeOf(way, act, 'l2')).toMatchObject({
        outcome: 'failed',
        says: expect.stringContaining('does not carry the stamp'),
      });
      expect([writes, await stamp()]).toEqual([1, 'l1']);
    });

    it('on a server that stopped with the request in its hands: indeterminate, and the probe tells the truth later', async () => {
      const act = await freshAct();
      const faults: Fault[] = [];
      const way = acting(async (send) => {
        faults.push(await freezeApiServer());
        return send();
      }, client.ask);
      try {
        expect(await outcomeOf(way, act, 'l3')).toMatchObject({ outcome: 'indeterminate' });
      } finally {
        for (const fault of faults) await fault.end();
      }
      const probed = await waitUntil(
        async () => {
          const now = await adapter.probe(act, 'l3', limitOf());
          return now.state === 'indeterminate' ? undefined : now;
        },
        { what: 'the truth', withinMs: 30_000 },
      );
      await systemClock.sleep(3000);
      expect(probed.state).toBe((await stamp()) === 'l3' ? 'applied' : 'not-applied');
    });

    it('refused connection: failed clean, nothing can have been done', async () => {
      const act = await freshAct();
      const fault = await crashComponent(cluster.lab, 'kube-apiserver');
      const { outcome } = await applyToEnd(adapter, act, 'l4');
      expect(outcome).toMatchObject({
        outcome: 'failed',
        says: expect.stringContaining('ECONNREFUSED'),
      });
      await expect(adapter.probe(act, 'l4', limitOf())).rejects.toMatchObject({
        code: 'TARGET_UNREACHABLE',
      });
      await fault.end();
    });
  });

  const caFile = async (): Promise<string> => {
    const path = `${cluster.lab.dataFolder}/ca-for-spec.pem`;
    await writeFile(path, cluster.lab.caPem);
    return path;
  };
});
