import { access, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { describeDiagnostic, describeRemedy } from '@starr/doctor-host';
import {
  buildGoTools,
  leakConnections,
  startClusterStage,
  waitUntil,
  type ClusterStage,
} from '@starr/lab';
import { DoctorServiceService as doctor } from '@starr/wire';
import { z } from 'zod';
import { CATALOGS } from '../generate/catalogs.ts';
import { rawClient } from './raw-client.ts';
import { sweepInTime } from './sweep-answer.ts';

const cluster = await buildGoTools('kubernetes');
const jaeger = await buildGoTools('jaeger');
const missing = [cluster, jaeger].find((tools) => tools.kind === 'missing');
const onCluster = missing === undefined ? describe : describe.skip;
const because = missing === undefined ? '' : ` (skipped: ${missing.why})`;

const ENTRIES = CATALOGS.flatMap(({ doctor: owner, library, catalog }) => [
  ...catalog.diagnostics.map((each) => ({
    ...{ owner, library, kind: 'diagnostics', id: each.id },
    described: describeDiagnostic(each),
  })),
  ...catalog.remedies.map((each) => ({
    ...{ owner, library, kind: 'remedies', id: each.id },
    described: describeRemedy(each),
  })),
]);
const CHECKS = ENTRIES.filter(({ kind }) => kind === 'diagnostics').map(({ id }) => id);

const TABLE = ['schema=public', 'table=orders'];
const INDEX = ['schema=public', 'index=orders_pkey'];
/** Remedy, target, service, parameters with which it can be planned, or refused, on a healthy stage. */
const REMEDIES: readonly (readonly [string, string, string, readonly string[]])[] = [
  [
    'db.terminate-idle-sessions',
    'orders',
    'db-doctor',
    ['application=forgotten', 'idleFloorMs=1000'],
  ],
  ['db.analyze', 'orders', 'db-doctor', TABLE],
  ['db.vacuum', 'orders', 'db-doctor', TABLE],
  ['db.create-index', 'orders', 'db-doctor', [...TABLE, 'columns=id']],
  ['db.reindex', 'orders', 'db-doctor', INDEX],
  ['db.drop-invalid-index', 'orders', 'db-doctor', INDEX],
  ['db.cancel-query', 'orders', 'db-doctor', ['pid=1']],
  ['db.terminate-session', 'orders', 'db-doctor', ['pid=1']],
  ['db.raise-connection-limit', 'orders', 'db-doctor', ['role=checkout', 'limit=20']],
  [
    'db.set-timeout',
    'orders',
    'db-doctor',
    ['setting=idle_session_timeout', 'ms=60000', 'role=checkout'],
  ],
  ['db.pause-pgbouncer', 'orders', 'db-doctor', ['database=orders']],
  ['db.resume-pgbouncer', 'orders', 'db-doctor', ['database=orders']],
  ['db.resize-pgbouncer-pool', 'orders', 'db-doctor', ['size=20']],
  ['cache.set-eviction-policy', 'sessions', 'cache-doctor', ['policy=allkeys-lru']],
  ['k8s.rollback', 'lab', 'k8s-doctor', ['namespace=shop', 'deployment=checkout']],
  ['resilience.reset-breaker', 'processes', 'resilience', ['breaker=checkout/payments']],
];

jest.setTimeout(120_000); // a loaded machine is slow, not wrong

describe('one name everywhere', () => {
  it.each(ENTRIES)('$id: a file, a spec beside it and a page, all called so', async (entry) => {
    const { id, library, kind } = entry;
    const file = `libs/${library}/src/${kind}/${id.slice(id.indexOf('.') + 1)}`;
    expect(await readFile(`${file}.ts`, 'utf8')).toContain(`id: '${id}'`);
    await access(`${file}.spec.ts`);
    expect(await readFile(`docs/catalog/${id}.md`, 'utf8')).toMatch(new RegExp(`^# ${id}$`, 'm'));
    expect(await readFile('docs/catalog/README.md', 'utf8')).toContain(`[${id}](${id}.md)`);
  });
});

onCluster(`one name in what runs${because}`, () => {
  let stage: ClusterStage;

  beforeAll(async () => {
    stage = await startClusterStage({ checkouts: 2 });
  }, 300_000);
  afterAll(() => stage.stop());

  it('on the wire: each doctor describes what its catalog holds', async () => {
    const { ports, token } = stage.backstage;
    const served = {
      'db-doctor': ports.dbDoctor,
      'cache-doctor': ports.cacheDoctor,
      'k8s-doctor': ports.k8sDoctor,
      resilience: ports.resilience,
    };
    for (const [name, port] of Object.entries(served)) {
      const client = rawClient(port, token);
      const { messages } = await client.call(doctor.describe, {});
      client.close();
      const { diagnostics, remedies } = idsSchema.parse(messages[0]);
      expect([...diagnostics, ...remedies].map(({ id }) => id).sort()).toEqual(
        ENTRIES.filter(({ owner }) => owner === name)
          .map(({ id }) => id)
          .sort(),
      );
    }
  });

  it('starr catalog --json holds all of them, word for word, and nothing else', async () => {
    const { code, stdout } = await stage.services.starr('catalog', '--json');
    expect(code).toBe(0);
    const shown = z
      .array(z.object({ diagnostics: z.array(entrySchema), remedies: z.array(entrySchema) }))
      .parse(JSON.parse(stdout))
      .flatMap(({ diagnostics, remedies }) => [...diagnostics, ...remedies]);
    const byId = (list: readonly { id: string }[]) =>
      list.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    expect(byId(shown)).toEqual(byId(ENTRIES.map(({ id, described }) => ({ ...described, id }))));
  });

  it('starr catalog lists each for people, and shows one whole', async () => {
    const { stdout } = await stage.services.starr('catalog');
    for (const { id } of ENTRIES) expect(stdout).toMatch(new RegExp(` ${id} `));
    const one = await stage.services.starr('catalog', 'db.connection-leak');
    expect(one.stdout.startsWith('db.connection-leak  ')).toBe(true);
  });

  it('in one trace: every check of a sweep is a span with its id and its status', async () => {
    const swept = await sweepInTime(stage.services);
    expect(swept.answer.checks.map(({ diagnostic }) => diagnostic).sort()).toEqual(
      CHECKS.toSorted(),
    );
    const spans = await waitUntil(
      async () => {
        const { stdout } = await stage.services.starr('trace', swept.traceId!, '--json');
        const all = z.array(spanSchema).parse(JSON.parse(stdout));
        const checks = all.filter(({ attributes }) => 'starr.check.id' in attributes);
        return checks.length >= CHECKS.length ? checks : undefined;
      },
      { what: 'the spans of the sweep to be in Jaeger', withinMs: 30_000 },
    );
    expect(spans.map(({ attributes }) => attributes['starr.check.id']).sort()).toEqual(
      CHECKS.toSorted(),
    );
    for (const { name, attributes } of spans) {
      const id = attributes['starr.check.id']!;
      expect(name).toBe(`check ${id}`);
      const check = swept.answer.checks.find(({ diagnostic }) => diagnostic === id);
      expect([id, attributes['starr.check.status']]).toEqual([id, check?.status]);
    }
  });

  it.each(REMEDIES)(
    '%s: planned, or refused, it is a span with its id',
    async (id, target, service, params) => {
      await using _leak = await leakConnections(stage.postgres, 1, {
        applicationName: 'forgotten',
      });
      const planned = await stage.services.starr(
        'plan',
        id,
        '--target',
        target,
        '--param',
        ...params,
      );
      expect(planned.stderr).toBe('');
      expect([0, 1]).toContain(planned.code); // 1: refused, since nothing is ill
      const found = await waitUntil(() => spanNamed(service, `plan ${id}`), {
        what: `the span plan ${id} to be in Jaeger`,
        withinMs: 30_000,
      });
      expect(found).toContain(id);
    },
  );

  it('these are all the remedies that there are', () => {
    expect(ENTRIES.filter(({ kind }) => kind === 'remedies').map(({ id }) => id)).toEqual(
      expect.arrayContaining(REMEDIES.map(([id]) => id)),
    );
    expect(ENTRIES.filter(({ kind }) => kind === 'remedies')).toHaveLength(REMEDIES.length);
  });

  /** The attributes of a span of this name as Jaeger's own API tells them. */
  async function spanNamed(service: string, name: string): Promise<string | undefined> {
    const url = new URL('/api/v3/traces', stage.jaeger!.queryUrl);
    const now = Date.now();
    for (const [key, value] of [
      ['query.service_name', service],
      ['query.operation_name', name],
      ['query.start_time_min', new Date(now - 600_000).toISOString()],
      ['query.start_time_max', new Date(now + 60_000).toISOString()],
      ['query.num_traces', '20'],
    ] as const)
      url.searchParams.set(key, value);
    const answer = await fetch(url);
    const text = await answer.text();
    return answer.ok && text.includes(`"name":"${name}"`) && text.includes('starr.remedy')
      ? text
      : undefined;
  }
});

const idsSchema = z.object({
  diagnostics: z.array(z.object({ id: z.string() })),
  remedies: z.array(z.object({ id: z.string() })),
});
const entrySchema = z.object({ id: z.string() }).loose();
const spanSchema = z.object({ name: z.string(), attributes: z.record(z.string(), z.string()) });
