import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  buildGoTools,
  crashComponent,
  forgetHistory,
  freezeComponent,
  startClusterStage,
  throttleUser,
  waitUntil,
  type ClusterStage,
  type Fault,
} from '@starr/lab';
import { blindChecks, statuses, sweepInTime, type Swept } from './sweep-answer.ts';
import { watchServices, type ServicesWatch } from './watch-services.ts';

const servers = await buildGoTools('kubernetes');
const kubectl = await buildGoTools('kubectl');
const missing = [servers, kubectl].find((tools) => tools.kind === 'missing');
const onCluster = missing === undefined ? describe : describe.skip;
const because = missing === undefined ? '' : ` (skipped: ${missing.why})`;

const CHECKS = ['k8s.error-distribution', 'k8s.pod-status', 'k8s.restarts', 'k8s.rollouts'];
const all = (status: string) => Object.fromEntries(CHECKS.map((id) => [id, status]));
const ROLE = '/apis/rbac.authorization.k8s.io/v1/namespaces/shop/roles/starr-looks';

jest.setTimeout(120_000); // a loaded machine is slow, not wrong

onCluster(`on a bad day of the API server${because}`, () => {
  let stage: ClusterStage;
  let watch: ServicesWatch;
  let usual: Swept;
  const faults: Fault[] = [];

  beforeAll(async () => {
    stage = await startClusterStage({ jaeger: false, checkouts: 2 });
    usual = await seen();
    watch = await watchServices(stage.services, stage.backstage);
  }, 300_000);
  afterAll(() => stage.stop());
  afterEach(async () => {
    await Promise.all(faults.splice(0).map((fault) => fault.end()));
  });

  const sweep = () => sweepInTime(stage.services);
  /** Pods and their nodes need a moment after the API server is back; then everything is healthy again. */
  const seen = () =>
    waitUntil(
      async () => {
        const swept = await sweep();
        return swept.code === 0 ? swept : undefined;
      },
      { what: 'a sweep that sees everything and finds nothing', withinMs: 60_000 },
    );
  const reasons = (swept: Swept) => {
    const spots = blindChecks(swept, 'k8s.').map(({ why, cure, detail }) => ({
      why,
      cure,
      detail,
    }));
    return [...new Map(spots.map((spot) => [JSON.stringify(spot), spot])).values()];
  };
  const expectTheRestAsUsual = async (swept: Swept) => {
    const others = ['db.', 'cache.', 'resilience.'] as const;
    expect(statuses(swept, ...others)).toEqual(statuses(usual, ...others));
    expect(blindChecks(swept, ...others)).toEqual([]);
    expect(await watch.troubles()).toEqual([]);
  };
  const expectAllBlind = async (
    swept: Swept,
    reason: { why: string; cure: string | undefined; says: string },
  ) => {
    expect(swept.code).toBe(2);
    expect(statuses(swept, 'k8s.')).toEqual(all('blind'));
    const { why, cure, says } = reason;
    expect(reasons(swept)).toEqual([{ why, cure, detail: expect.stringContaining(says) }]);
    await expectTheRestAsUsual(swept);
  };
  const expectAllSeenAgain = async () => {
    await Promise.all(faults.splice(0).map((fault) => fault.end()));
    const swept = await seen();
    expect(statuses(swept)).toEqual(statuses(usual));
    await expectTheRestAsUsual(swept);
  };

  it('a good day: everything is seen', () => {
    expect(statuses(usual, 'k8s.')).toEqual(all('healthy'));
  });

  it('stopped: blind for want of an answer, and sees again when it goes on', async () => {
    faults.push(freezeComponent(stage.kubernetes, 'kube-apiserver'));
    for (let day = 0; day < 2; day += 1)
      await expectAllBlind(await sweep(), {
        why: 'timeout',
        cure: undefined,
        says: 'The API server did not answer in time',
      });
    await expectAllSeenAgain();
  });

  it('killed: blind for nobody listens, and sees again when it is back', async () => {
    faults.push(await crashComponent(stage.kubernetes, 'kube-apiserver'));
    await expectAllBlind(await sweep(), {
      why: 'unreachable',
      cure: 'Check that the API server runs and that server of the kubeconfig is its address',
      says: 'No connection to the API server: connect ECONNREFUSED',
    });
    await expectAllSeenAgain();
  });

  it('429: turned away, within the time, and sees again when it is let in', async () => {
    faults.push(await throttleUser(stage.kubernetes, 'diagnoser'));
    await expectAllBlind(await sweep(), {
      why: 'unreachable',
      cure: 'Look at its load: kubectl get --raw /debug/api_priority_and_fairness/dump_priority_levels',
      says: 'The API server turns requests away (429',
    });
    await expectAllSeenAgain();
  });

  it('403 on one resource: one check is blind, the others are not; its cure, run as it stands, lets it see', async () => {
    await withhold('pods/log');
    const swept = await waitUntil(
      async () => {
        const each = await sweep();
        return blindChecks(each, 'k8s.').length === 0 ? undefined : each; // RBAC is cached for a moment
      },
      { what: 'the role to be in force' },
    );
    expect(swept.code).toBe(2);
    expect(statuses(swept, 'k8s.')).toEqual({
      ...all('healthy'),
      'k8s.error-distribution': 'blind',
    });
    const [reason] = reasons(swept);
    expect(reason).toEqual({
      why: 'denied',
      cure: expect.stringMatching(/^kubectl create role .* --verb=get --resource=pods\/log && /),
      detail: 'diagnoser may not get pods/log in namespace shop (403)',
    });
    await expectTheRestAsUsual(swept);

    await runVerbatim(reason!.cure!);
    await expectAllSeenAgain();
  });

  it('410, since the history is gone and connections broke: answers in time, and sees', async () => {
    const answers: Swept[] = [];
    const over = new AbortController();
    const sweeping = (async () => {
      while (!over.signal.aborted) answers.push(await sweep());
    })();
    await forgetHistory(stage.kubernetes);
    over.abort();
    await sweeping;
    // An API server that starts denies for a moment what it has not read its roles for.
    const honest = ['unreachable', 'timeout', 'denied'];
    for (const answer of answers) {
      for (const { why } of reasons(answer)) expect(honest).toContain(why);
      await expectTheRestAsUsual(answer);
    }
    await expectAllSeenAgain();
  });

  it('after all of it: no descriptor more is open than before', async () => {
    expect(await watch.leaks()).toEqual([]);
  });

  /** Takes one resource out of the role of those who look. */
  async function withhold(resource: string): Promise<void> {
    const admin = stage.kubernetes.api();
    const { body } = await admin.send({ method: 'GET', path: ROLE });
    const role = body as { rules: { resources: string[] }[] };
    const rules = role.rules.filter(({ resources }) => !resources.includes(resource));
    const { status } = await admin.send({ method: 'PUT', path: ROLE, body: { ...role, rules } });
    expect(status).toBe(200);
    admin.close();
  }

  /** A cure as it is printed, in the shell of an administrator. */
  async function runVerbatim(cure: string): Promise<void> {
    const folder = kubectl.kind === 'present' ? kubectl.folder : '';
    const env = {
      PATH: `${folder}:/usr/bin:/bin`,
      HOME: join(stage.backstage.folder, 'home'),
      KUBECONFIG: stage.kubernetes.adminKubeconfig,
    };
    await promisify(execFile)('bash', ['-c', cure], { env });
  }
});
