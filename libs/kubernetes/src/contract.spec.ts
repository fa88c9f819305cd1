import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  ENTITY_KINDS,
  entityKey,
  isBlindSpot,
  statusOf,
  systemClock,
  type GrantsAdvice,
  type Receipt,
} from '@starr/kernel';
import { buildGoTools, waitUntil } from '@starr/lab';
import { createKubernetesAdapter } from './adapter/create-kubernetes-adapter.ts';
import { kubernetesCatalog } from './catalog.ts';
import { rollbackPatch } from './adapter/rollback-patch.ts';
import { logsRead } from './reads/logs.ts';
import type { KubernetesAct } from './request.ts';
import {
  applyToEnd,
  limitOf,
  planRollback,
  runAs,
  sweepOnce,
  type KubernetesAdapter,
} from './test/sweep-once.ts';
import {
  DIAGNOSER,
  NAMESPACE,
  OPERATOR,
  startTestCluster,
  type TestCluster,
} from './test/test-cluster.ts';

jest.setTimeout(60_000);

const { diagnostics, remedies, resolvers, grants } = kubernetesCatalog;
const [rollback] = remedies;

describe('the catalog', () => {
  it.each([
    ['diagnostics', diagnostics.map(({ id }) => id)],
    ['remedies', remedies.map(({ id }) => id)],
  ])('holds exactly the files of %s', (folder, ids) => {
    const files = readdirSync(new URL(folder, import.meta.url)).filter((name) =>
      name.endsWith('.spec.ts'),
    );
    expect(files.map((name) => `k8s.${name.replace('.spec.ts', '')}`).toSorted()).toEqual(
      [...ids].toSorted(),
    );
  });

  it('sources each threshold, and describes all that it measures', () => {
    for (const { id, thresholds, measures, replaces } of diagnostics) {
      for (const { source, unit } of Object.values(
        thresholds as Record<string, { source: string; unit: string }>,
      )) {
        expect(`${id} ${source}`).toMatch(/ .{3,}/);
        expect(unit).not.toBe('');
      }
      expect(Object.keys(measures)).not.toHaveLength(0);
      expect(replaces).not.toHaveLength(0);
    }
  });

  it('resolves kinds of the house', () => {
    expect(
      resolvers.flatMap(({ kinds }) => kinds).filter((kind) => !(kind in ENTITY_KINDS)),
    ).toEqual([]);
  });
});

const tools = await buildGoTools('kubernetes');
const kubectl = await buildGoTools('kubectl');
const missing = tools.kind === 'missing' ? tools : kubectl.kind === 'missing' ? kubectl : undefined;
const onKubernetes = missing ? describe.skip : describe;

onKubernetes(`a real cluster${missing ? ` (skipped: ${missing.why})` : ''}`, () => {
  let cluster: TestCluster;
  let adapter: KubernetesAdapter;
  const folder = kubectl.kind === 'present' ? kubectl.folder : '';

  beforeAll(async () => {
    cluster = await startTestCluster({ users: ['stranger'] });
    adapter = createKubernetesAdapter({
      diagnosing: { kind: 'kubeconfig', path: await cluster.lab.kubeconfigFor(DIAGNOSER) },
      acting: { kind: 'kubeconfig', path: await cluster.lab.kubeconfigFor(OPERATOR) },
      namespaces: [NAMESPACE],
    });
    await cluster.deploy('checkout', {
      replicas: 3,
      labels: { 'app.kubernetes.io/name': 'checkout-api' },
    });
  }, 180_000);
  afterAll(async () => {
    await (adapter as KubernetesAdapter | undefined)?.close();
    await (cluster as TestCluster | undefined)?.stop();
  });

  const advice = async (of: KubernetesAdapter): Promise<GrantsAdvice> => {
    const entries = await Promise.all(
      Object.entries(grants?.reads ?? {}).map(async ([name, read]) => {
        const request = read.request({} as never);
        if (isBlindSpot(request)) throw new Error(request.detail);
        return [name, read.parse(await of.perform(request, limitOf()), {} as never)] as const;
      }),
    );
    if (!grants) throw new Error('no grants');
    return grants.advise(Object.fromEntries(entries) as never, {} as never);
  };
  const byAdmin = (command: string): Promise<string> =>
    runAs(cluster.lab.adminKubeconfig, folder, command);

  it('prints the Roles that are lacking; run as they stand, nothing lacks any more', async () => {
    const before = await advice(adapter);
    expect(before).toMatchObject({
      language: 'kubectl',
      lacking: [...before.diagnosing, ...before.acting],
    });
    for (const command of before.lacking) await byAdmin(command);
    const lacking = async (): Promise<true | undefined> =>
      (await advice(adapter)).lacking.length === 0 || undefined;
    await waitUntil(lacking, { what: 'nothing lacking' });
  });

  it('then has what it needs: no check is blind', async () => {
    await cluster.rolledOut('checkout');
    const { verdicts } = await sweepOnce(adapter);
    expect(
      Object.entries(verdicts).map(([id, verdict]) => [id, statusOf(verdict), verdict.blind]),
    ).toEqual(diagnostics.map(({ id }) => [id, 'healthy', []]));
    // that each of them is needed: bad-days.spec.ts
  });

  it('prints what of the Roles is lacking one by one, when only some of it is', async () => {
    await cluster.allow('stranger', [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }]);
    const stranger = createKubernetesAdapter({
      diagnosing: {
        kind: 'token',
        server: cluster.lab.url,
        token: cluster.lab.tokenOf('stranger'),
        caFile: await caFile(cluster),
      },
      namespaces: [NAMESPACE],
    });
    const { lacking } = await waitUntil(
      async () => {
        const now = await advice(stranger);
        return now.lacking.length === 6 ? now : undefined;
      },
      { what: 'six of seven lacking' },
    );
    expect(lacking[0]).toBe(
      'kubectl create role starr-get-pods-log-stranger --namespace=shop --verb=get --resource=pods/log && kubectl create rolebinding starr-get-pods-log-stranger --namespace=shop --role=starr-get-pods-log-stranger --user=stranger',
    );
    for (const command of lacking) await byAdmin(command);
    await waitUntil(async () => (await advice(stranger)).lacking.length === 0 || undefined, {
      what: 'nothing lacking',
    });
    await stranger.close();
  });

  it('sees the healthy cluster in a moment: one list of each kind, one log of each pod', async () => {
    const { spent, ms, relations, look } = await sweepOnce(adapter);
    expect(spent).toEqual({ reads: 1, lists: 4, logs: 3 });
    expect(ms).toBeLessThan(2000); // the goal is 500 ms on a quiet machine
    expect(look.version).toBe('v1.36.3');
    expect(Math.abs(look.now.getTime() - Date.now())).toBeLessThan(1500);
    const said = new Set(
      relations.map(({ from, is, to }) => `${from.kind} ${is} ${to.kind} ${to.name}`),
    );
    const pods = await cluster.pods('checkout');
    expect(said).toEqual(
      new Set([
        'deployment provides service checkout-api',
        'revision of deployment shop/checkout',
        'pod of deployment shop/checkout',
        'pod runs revision shop/checkout#1',
        ...pods.map(({ status }) => `pod at address ${status?.podIP ?? ''}`),
      ]),
    );
    for (const { from, to } of relations) {
      for (const { kind, scope } of [from, to]) {
        const known = ENTITY_KINDS[kind as keyof typeof ENTITY_KINDS];
        expect([kind, scope]).toEqual([kind, known.scope === 'target' ? 'prod' : undefined]);
      }
    }
  });

  describe('a revision that fails', () => {
    const params = { namespace: NAMESPACE, deployment: 'checkout' };
    const plan = () =>
      planRollback(
        adapter,
        (seen, look) => rollback?.plan(params, seen, look) ?? { refused: 'none' },
      );
    let act: KubernetesAct;
    let receipt: Receipt;

    it('is found in the logs, on the revision that was rolled out, and no value leaks', async () => {
      await cluster.setEnv('checkout', {
        ERRORS_PER_S: '8',
        ERROR: 'timeout acquiring client',
        SECRET: 'hunter2',
      });
      await cluster.rolledOut('checkout');
      const { verdicts, relations } = await waitUntil(
        async () => {
          const swept = await sweepOnce(adapter);
          return swept.verdicts['k8s.error-distribution']?.findings?.length ? swept : undefined;
        },
        { what: 'the finding', withinMs: 30_000 },
      );
      expect(verdicts['k8s.rollouts']?.changes).toEqual([
        expect.objectContaining({
          about: { kind: 'revision', name: 'shop/checkout#2', scope: 'prod' },
          says: 'rollout 1→2 of shop/checkout, image 1→2, env ERRORS_PER_S, env ERROR, env SECRET',
          facts: expect.objectContaining({
            namespace: 'shop',
            deployment: 'checkout',
            from: 1,
            to: 2,
            toImage: 'shop/app:2',
          }),
        }),
      ]);
      const [finding] = verdicts['k8s.error-distribution']?.findings ?? [];
      expect(finding?.rows?.[0]).toMatchObject({
        template: 'timeout acquiring client of order <*>',
        traceId: 'abc',
        podsOf: 3,
      });
      const change = verdicts['k8s.rollouts']?.changes?.[0];
      expect(finding?.since?.getTime()).toBeGreaterThanOrEqual(change?.at.getTime() ?? Infinity);
      // the finding and the change hang together
      const reached = entityKey(change?.about ?? { kind: '', name: '' });
      expect(finding?.involves?.map(entityKey)).toContain(reached);
      expect(
        relations.some(
          ({ from, is, to }) => from.kind === 'pod' && is === 'runs' && entityKey(to) === reached,
        ),
      ).toBe(true);
      expect(JSON.stringify([verdicts, relations])).not.toContain('hunter2');
    });

    it('is rolled back to the revision that was seen healthy, with its evidence kept', async () => {
      const { operations, effect, warnings } = await plan();
      const [operation] = operations;
      if (!operation) throw new Error('no operation');
      act = operation.act;
      expect(JSON.stringify(operations)).not.toContain('hunter2');
      expect(operation.says).toMatch(
        /^roll shop\/checkout back from revision 2 to revision 1 \((unproven: )?seen healthy/,
      );
      expect(effect).toMatchObject({
        diagnostic: 'k8s.error-distribution',
        measurement: 'errorsPerMinute',
      });
      expect(warnings.at(-1)).toMatch(/^not checked/);
      const { outcome, progress } = await applyToEnd(adapter, act, 'p1.1');
      expect(progress.map(({ says }) => says)).toContain(
        'saving last states and logs of revision 2',
      );
      expect(progress.at(-1)?.says).toMatch(/^\d of 3 pods are back/);
      if (outcome.outcome !== 'applied') throw new Error(JSON.stringify(outcome));
      expect(outcome.before).toMatchObject({ revision: 2, evidence: { pods: 3 } });
      expect(JSON.stringify(outcome.before)).toContain('timeout acquiring client');
      expect(JSON.stringify(outcome)).not.toContain('hunter2');
      expect(outcome.after).toMatchObject({
        revision: 3,
        availableReplicas: 3,
        templateHash: act.to.templateHash,
      });
      receipt = {
        operationId: 'p1.1',
        remedy: 'k8s.rollback',
        target: 'prod',
        appliedAt: new Date(),
        act: JSON.parse(JSON.stringify(act)) as Receipt['act'],
        before: outcome.before,
        after: outcome.after,
      };
      const rolled = await cluster.rolledOut('checkout');
      expect(rolled.spec?.template?.spec?.containers?.[0]).toMatchObject({ image: 'shop/app:1' });
      expect(rolled.spec?.template?.metadata?.labels).toEqual({ app: 'checkout' });
      expect(rolled.metadata?.labels).toMatchObject({ 'app.kubernetes.io/name': 'checkout-api' });
    });

    it('is probed by what the act left behind, ours apart from others', async () => {
      expect(await adapter.probe(act, 'p1.1', limitOf())).toMatchObject({
        state: 'applied',
        before: { revision: 2 },
      });
      expect(await adapter.probe(act, 'p9.9', limitOf())).toMatchObject({ state: 'not-applied' });
    });

    it('cures what its plan registered, and the change is told as a way back', async () => {
      const { verdicts } = await sweepOnce(adapter);
      const rate = verdicts['k8s.error-distribution']?.measured.find(
        ({ name, about }) => name === 'errorsPerMinute' && about.kind === 'deployment',
      );
      expect(rate?.value).toBe(0);
      expect(verdicts['k8s.rollouts']?.changes?.at(-1)?.says).toMatch(
        /^rollout 2→3 of shop\/checkout, back to the template of revision 1.*by k8s-doctor$/,
      );
    });

    it('is not applied again: the state is another', async () => {
      const { outcome } = await applyToEnd(adapter, act, 'p1.1');
      expect(outcome).toMatchObject({
        outcome: 'refused',
        says: 'somebody changed the template of shop/checkout since the plan was made',
      });
    });

    it('is not returned to by a second rollback', async () => {
      await expect(plan()).rejects.toThrow('is the one that the last rollback left');
    });

    it('comes back by undo, and an undone act is still known as applied', async () => {
      const undone = await planRollback(
        adapter,
        (seen, look) => rollback?.undo?.([receipt], seen, look) ?? { refused: 'none' },
      );
      const [operation] = undone.operations;
      if (!operation) throw new Error('no operation');
      expect((await applyToEnd(adapter, operation.act, 'p2.1')).outcome.outcome).toBe('applied');
      expect(
        (await cluster.rolledOut('checkout')).spec?.template?.spec?.containers?.[0],
      ).toMatchObject({ image: 'shop/app:2' });
      expect(await adapter.probe(operation.act, 'p2.1', limitOf())).toMatchObject({
        state: 'applied',
      });
      expect(await adapter.probe(act, 'p1.1', limitOf())).toMatchObject({ state: 'applied' });
    });

    it('goes back by hand with the command of the plan', async () => {
      const made = await planRollback(
        adapter,
        (seen, look) =>
          rollback?.plan({ ...params, toRevision: 3 }, seen, look) ?? { refused: 'none' },
      );
      expect(made.operations[0]?.byHand).toBe(
        'kubectl -n shop rollout undo deployment/checkout --to-revision=3',
      );
      await byAdmin(made.operations[0]?.byHand ?? 'false');
      expect(
        (await cluster.rolledOut('checkout')).spec?.template?.spec?.containers?.[0],
      ).toMatchObject({ image: 'shop/app:1' });
    });
  });

  describe('guards', () => {
    const params = { namespace: NAMESPACE, deployment: 'guarded' };
    const fresh = async (): Promise<KubernetesAct> => {
      const { operations } = await planRollback(
        adapter,
        (seen, look) => rollback?.plan(params, seen, look) ?? { refused: 'none' },
      );
      if (!operations[0]) throw new Error('no operation');
      return operations[0].act;
    };
    const generation = async () => (await cluster.deployment('guarded')).metadata?.generation;

    beforeAll(async () => {
      await cluster.deploy('guarded', { replicas: 1 });
      await cluster.rolledOut('guarded');
      await cluster.setEnv('guarded', { REVISION: '2' });
      await cluster.rolledOut('guarded');
    }, 60_000);

    it('refuse when it was paused since the plan', async () => {
      const act = await fresh();
      await cluster.patch('guarded', { spec: { paused: true } });
      const before = await generation();
      expect((await applyToEnd(adapter, act, 'g1')).outcome).toEqual({
        kind: 'outcome',
        outcome: 'refused',
        says: 'shop/guarded was paused',
      });
      expect(await generation()).toBe(before);
      await cluster.patch('guarded', { spec: { paused: null } });
    });

    it('do not refuse for a write that has nothing to do with it', async () => {
      const act = await fresh();
      await cluster.patch('guarded', {
        metadata: { labels: { touched: 'yes' }, annotations: { note: 'kept' } },
        spec: { replicas: 2 },
      });
      expect((await applyToEnd(adapter, act, 'g2')).outcome.outcome).toBe('applied');
      const after = await cluster.rolledOut('guarded');
      expect(after.metadata).toMatchObject({
        labels: { touched: 'yes' },
        annotations: { note: 'kept', 'starr.dev/operation': 'g2' },
      });
      expect(after.spec?.replicas).toBe(2);
    });

    it.each<[string, () => Promise<void>, (act: KubernetesAct) => KubernetesAct]>([
      ['paused', () => cluster.patch('guarded', { spec: { paused: true } }), (act) => act],
      [
        'with another template',
        () => cluster.setEnv('guarded', { REVISION: 'another' }),
        (act) => act,
      ],
      [
        'of another uid',
        () => Promise.resolve(),
        (act) => ({ ...act, deploymentUid: '6f50519e-f44c-4e6d-a8e9-d712d462fdd1' }),
      ],
    ])(
      'hold inside the server, between our read and our write: %s',
      async (_what, meanwhile, change) => {
        const read = await cluster.deployment('guarded');
        const act = { deploymentUid: read.metadata?.uid, from: {} } as KubernetesAct;
        const set = { spec: { template: read.spec?.template ?? {} } };
        const body = rollbackPatch(change(act), 'race', read, set);
        await meanwhile();
        const path = '/apis/apps/v1/namespaces/shop/deployments/guarded';
        const answer = await cluster.admin.send({ method: 'PATCH', patch: 'json', path, body });
        expect(answer.status).toBe(422);
        expect(
          (await cluster.deployment('guarded')).metadata?.annotations?.['starr.dev/operation'],
        ).not.toBe('race');
        await cluster.patch('guarded', { spec: { paused: null } });
        await cluster.rolledOut('guarded');
      },
    );

    it('refuse an object that was deleted and made anew', async () => {
      const made = await planRollback(
        adapter,
        (seen, look) =>
          rollback?.plan({ ...params, toRevision: 2 }, seen, look) ?? { refused: 'none' },
      );
      const act = made.operations[0]?.act;
      if (!act) throw new Error('no operation');
      await cluster.remove('guarded');
      expect((await applyToEnd(adapter, act, 'g3')).outcome.outcome).toBe('refused');
      await cluster.deploy('guarded', { replicas: 1 });
      await cluster.rolledOut('guarded');
      expect((await applyToEnd(adapter, act, 'g3')).outcome).toMatchObject({ outcome: 'refused' });
      expect(await adapter.probe(act, 'g3', limitOf())).toMatchObject({ state: 'indeterminate' });
    });

    it('refuse a namespace that is not configured, and an act without a credential', async () => {
      const act = await (async () => {
        await cluster.setEnv('guarded', { REVISION: '3' });
        await cluster.rolledOut('guarded');
        return fresh();
      })();
      const elsewhere = await applyToEnd(adapter, { ...act, namespace: 'kube-system' }, 'g4');
      expect(elsewhere.outcome).toMatchObject({
        outcome: 'refused',
        says: expect.stringContaining('is not configured'),
      });
      const looker = createKubernetesAdapter({
        diagnosing: { kind: 'kubeconfig', path: await cluster.lab.kubeconfigFor(DIAGNOSER) },
        namespaces: [NAMESPACE],
      });
      expect((await applyToEnd(looker, act, 'g5')).outcome).toMatchObject({
        outcome: 'failed',
        says: 'no acting credential is configured',
      });
      await looker.close();
    });

    it('fail clean, with the cure, when the acting account may not write', async () => {
      const act = await fresh();
      const path = await cluster.lab.kubeconfigFor(DIAGNOSER);
      const weak = createKubernetesAdapter({
        diagnosing: { kind: 'kubeconfig', path },
        acting: { kind: 'kubeconfig', path },
        namespaces: [NAMESPACE],
      });
      const { outcome } = await applyToEnd(weak, act, 'g6');
      expect(outcome).toMatchObject({
        outcome: 'failed',
        says: expect.stringMatching(/may not get deployments.*cure: kubectl create role/),
      });
      await weak.close();
    });
  });

  describe('sick and noisy pods', () => {
    type Seen = Awaited<ReturnType<typeof sweepOnce>>['verdicts'];
    const about = (name: string) => ({ kind: 'deployment', name: `shop/${name}`, scope: 'prod' });
    const findingOf = (verdicts: Seen, id: string, name: string) =>
      verdicts[id]?.findings?.find((finding) => finding.about.name === `shop/${name}`);
    const until = (what: string, isThere: (verdicts: Seen) => boolean): Promise<Seen> =>
      waitUntil(
        async () => {
          const { verdicts } = await sweepOnce(adapter);
          return isThere(verdicts) ? verdicts : undefined;
        },
        { what, withinMs: 30_000 },
      );

    it('that end again and again are found, with their last words but no secret of these', async () => {
      await cluster.deploy('crash', { replicas: 1, env: { END_AFTER_MS: '200' } });
      const verdicts = await until('restarts and a crash loop', (seen) =>
        ['k8s.restarts', 'k8s.pod-status'].every(
          (id) => findingOf(seen, id, 'crash') !== undefined,
        ),
      );
      expect(findingOf(verdicts, 'k8s.restarts', 'crash')).toMatchObject({
        about: about('crash'),
        says: expect.stringMatching(/^shop\/crash: \d+ restarts on 1 pods; ended by exit code 3$/),
      });
      expect(findingOf(verdicts, 'k8s.pod-status', 'crash')).toMatchObject({
        rows: [
          {
            reason: 'CrashLoopBackOff',
            container: 'app',
            event: expect.stringMatching(/^(BackOff|Unhealthy): /),
          },
        ],
      });
      const { see } = await sweepOnce(adapter);
      const logs = JSON.stringify(await see(logsRead));
      expect(logs).toContain('last words password=***');
      expect(logs).not.toContain('hunter2');
      await cluster.remove('crash');
    });

    it('that are killed for memory are found, with their limit', async () => {
      await cluster.deploy('hungry', { replicas: 1, image: 'shop/hungry', memory: '120Mi' });
      const verdicts = await until(
        'a kill for memory',
        (seen) => findingOf(seen, 'k8s.restarts', 'hungry') !== undefined,
      );
      expect(findingOf(verdicts, 'k8s.restarts', 'hungry')).toMatchObject({
        says: expect.stringMatching(/killed for memory; ended by OOMKilled$/),
        rows: [{ memoryLimit: '120Mi', exitCode: 137, ended: 'OOMKilled' }],
      });
      await cluster.remove('hungry');
    });

    it('that have no image are found at once', async () => {
      await cluster.deploy('imageless', { replicas: 1, image: 'nobody/knows:1' });
      const verdicts = await until(
        'a missing image',
        (seen) => findingOf(seen, 'k8s.pod-status', 'imageless') !== undefined,
      );
      expect(findingOf(verdicts, 'k8s.pod-status', 'imageless')?.says).toMatch(
        /1 of 1 pods (ImagePullBackOff|ErrImagePull)/,
      );
      await cluster.remove('imageless');
    });

    it('that have always been loud are no finding, nor after a rollout that changed nothing of it', async () => {
      await cluster.deploy('loud', { env: { ERRORS_PER_S: '10' } });
      await cluster.rolledOut('loud');
      const findings: unknown[] = [];
      const look = async (): Promise<void> => {
        await systemClock.sleep(2500);
        const { verdicts } = await sweepOnce(adapter);
        findings.push(findingOf(verdicts, 'k8s.error-distribution', 'loud')?.says);
      };
      for (let n = 0; n < 7; n += 1) await look();
      await cluster.setEnv('loud', { ERRORS_PER_S: '10', HARMLESS: 'yes' });
      await cluster.rolledOut('loud');
      for (let n = 0; n < 4; n += 1) await look();
      expect(findings).toEqual(findings.map(() => undefined));
      await cluster.remove('loud');
    });
  });

  describe('a rollback that does not come up', () => {
    it('is partial, names what is stuck, and its receipt can still be undone', async () => {
      await cluster.deploy('stuck', { replicas: 1, env: { READY: 'no' } });
      await cluster.setEnv('stuck', { READY: 'yes' });
      await cluster.rolledOut('stuck');
      const params = { namespace: NAMESPACE, deployment: 'stuck' };
      const { operations } = await planRollback(
        adapter,
        (seen, look) => rollback?.plan(params, seen, look) ?? { refused: 'none' },
      );
      const act = operations[0]?.act;
      if (!act) throw new Error('no operation');
      expect(operations[0]?.says).toContain('unproven: nobody saw revision 1 healthy');
      const { outcome } = await applyToEnd(adapter, { ...act, waitMs: 5000 }, 's1');
      expect(outcome).toMatchObject({
        outcome: 'partial',
        says: expect.stringMatching(
          /the time to wait is over: \d of 1 pods are back, 1 old ones are left/,
        ),
        before: { revision: 2 },
      });
      expect((await cluster.pods('stuck')).length).toBe(2);
      await cluster.remove('stuck');
    });

    it('stops to wait when it is cancelled; what is done stays done', async () => {
      await cluster.deploy('slow', { replicas: 1, env: { READY: 'no' } });
      await cluster.setEnv('slow', { READY: 'yes' });
      await cluster.rolledOut('slow');
      const params = { namespace: NAMESPACE, deployment: 'slow' };
      const { operations } = await planRollback(
        adapter,
        (seen, look) => rollback?.plan(params, seen, look) ?? { refused: 'none' },
      );
      const act = operations[0]?.act;
      if (!act) throw new Error('no operation');
      const applying = applyToEnd(adapter, act, 'c1');
      await waitUntil(
        async () =>
          (await cluster.deployment('slow')).metadata?.annotations?.['starr.dev/operation'] ===
            'c1' || undefined,
        { what: 'the stamp' },
      );
      expect(await adapter.probe(act, 'c1', limitOf())).toMatchObject({ state: 'running' });
      await adapter.cancel?.('c1');
      expect((await applying).outcome).toMatchObject({
        outcome: 'partial',
        says: expect.stringContaining('waiting was stopped'),
      });
      expect(await adapter.probe(act, 'c1', limitOf())).toMatchObject({ state: 'applied' });
      await cluster.remove('slow');
    });
  });
});

async function caFile(cluster: TestCluster): Promise<string> {
  const path = `${cluster.lab.dataFolder}/ca-for-spec.pem`;
  await writeFile(path, cluster.lab.caPem);
  return path;
}
