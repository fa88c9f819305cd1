import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { blindSpot, isBlindSpot } from '@starr/kernel';
import { POOLER_ROLES, startPostgres, type LabPostgres } from '@starr/lab';
import { poolerGrants } from './pooler-grants.ts';
import { poolerRightsRead, type PoolerRights } from './reads/pooler-rights.ts';
import { see } from './test/examine-once.ts';
import { createRoles, lookOf } from './test/lab-target.ts';
import { describeWithPgBouncer } from './test/pooled.ts';
import { PooledLab } from './test/pooled-lab.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

const { looks, acts } = POOLER_ROLES;
const stats = (users: string) =>
  `-- pooler bouncer: pgbouncer.ini, [pgbouncer]: stats_users = ${users}`;
const admins = (users: string) =>
  `-- pooler bouncer: pgbouncer.ini, [pgbouncer]: admin_users = ${users}`;
const password = (user: string) =>
  `-- pooler bouncer: auth_file: "${user}" "***" (*** is its password, or the SCRAM secret of it)`;
const reload = '-- pooler bouncer: then RELOAD; on its console';

describeWithPgBouncer('what is to be put into a PgBouncer', () => {
  let server: LabPostgres;
  let lab: PooledLab;
  beforeAll(async () => {
    server = await startPostgres();
    await createRoles(server);
  }, 180_000);
  afterAll(() => server.stop());
  afterEach(() => lab.stop());

  const advise = async () => {
    const rights = await see(poolerRightsRead, lab.adapter(), lookOf());
    if (isBlindSpot(rights)) throw new Error(rights.detail);
    return poolerGrants(rights as readonly PoolerRights[]);
  };

  it('where both are let: nothing is lacking, and all of it is shown', async () => {
    lab = await PooledLab.start(server);
    expect(await advise()).toEqual({
      diagnosing: [
        stats(looks),
        password(looks),
        `-- pooler bouncer: pgbouncer.ini, [databases]: * = host=${server.host} port=${server.port}, or a line for each database: what leads elsewhere is not counted for this server`,
      ],
      acting: [admins(acts), password(acts)],
      lacking: [],
    });
  });

  it('for who may not look: its lines, and once they are there nothing is lacking', async () => {
    lab = await PooledLab.start(server, { settings: { stats_users: 'somebody' } });
    const { lacking } = await advise();
    expect(lacking).toEqual([
      `${stats(looks)} (beside those that stand there)`,
      password(looks),
      reload,
    ]);
    await server.query(lacking.join('\n')); // comments to psql
    const ini = await readFile(lab.pooler.iniPath, 'utf8');
    await writeFile(
      lab.pooler.iniPath,
      ini.replace('stats_users = somebody', `stats_users = somebody, ${looks}`),
    );
    await lab.pooler.console('RELOAD');
    const after = await advise();
    expect(after.lacking).toEqual([]);
    expect(after.diagnosing).toContain(stats(`somebody, ${looks}`));
  });

  it('for who may not act, beside those who may', async () => {
    lab = await PooledLab.start(server, { settings: { admin_users: 'somebody' } });
    expect((await advise()).lacking).toEqual([admins(`somebody, ${acts}`), password(acts), reload]);
  });

  it('from who looks and could act, that is taken away', async () => {
    lab = await PooledLab.start(server, { settings: { admin_users: `${acts}, ${looks}` } });
    expect((await advise()).lacking).toEqual([
      `-- pooler bouncer: take ${looks} out of admin_users: stats_users is enough to look`,
      reload,
    ]);
  });
});

const rights = (more: Partial<PoolerRights> = {}): PoolerRights => ({
  name: 'bouncer',
  place: { host: 'pooler', port: 6432 },
  server: { host: 'db', port: 5432 },
  looks: 'starr',
  acts: undefined,
  lets: { stats: ['starr'], admins: [] },
  ...more,
});

it('one that cannot be asked lacks nothing for sure, and is not passed over', () => {
  const lets = blindSpot('unreachable', 'nobody listens');
  expect(poolerGrants([rights({ lets })]).lacking).toEqual([
    '-- pooler bouncer: what it lacks cannot be seen: nobody listens',
  ]);
});

it('without an acting user it is an offer; through the pooler its databases are what they are', () => {
  const place = { host: 'db', port: 5432 };
  expect(poolerGrants([rights({ place })])).toEqual({
    diagnosing: [stats('starr'), password('starr')],
    acting: [admins('starr_act'), password('starr_act')],
    lacking: [],
  });
});

it('a hostile name stays in its comment', () => {
  const [line, file] = poolerGrants([rights({ looks: 'a"\nDROP ROLE b;' })]).diagnosing;
  expect(line).not.toContain('\n');
  expect(file).toContain('"a"" DROP ROLE b;" "***"');
});

it('without a pooler it says nothing', () => {
  expect(poolerGrants([])).toEqual({ diagnosing: [], acting: [], lacking: [] });
});
