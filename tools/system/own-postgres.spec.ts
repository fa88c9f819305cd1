import { access, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  fillSlots,
  freePort,
  isAlive,
  leakConnections,
  makeTemporaryFolder,
  runStarr,
  startPostgres,
  startServices,
  treeOf,
  waitUntil,
  type Fault,
  type LabPostgres,
  type Services,
  type TemporaryFolder,
} from '@starr/lab';
import { blindChecks, statuses, sweepInTime } from './sweep-answer.ts';

jest.setTimeout(120_000); // a loaded machine is slow, not wrong

/** What somebody has who brings one PostgreSQL and nothing else: no store, no acting role, no pg_monitor. */
describe('one’s own PostgreSQL alone', () => {
  let folder: TemporaryFolder;
  let postgres: LabPostgres;
  let services: Services;
  let config: string;
  const faults: Fault[] = [];

  beforeAll(async () => {
    [folder, postgres] = await Promise.all([
      makeTemporaryFolder('own'),
      startPostgres({ statStatements: true }),
    ]);
    await postgres.query('CREATE ROLE starr LOGIN; CREATE ROLE shop LOGIN');
    config = join(folder.path, 'starr.yaml');
    const ports = await Promise.all(Array.from({ length: 6 }, () => freePort()));
    const [orchestrator, http, dbDoctor, cacheDoctor, k8sDoctor, resilience] = ports;
    await writeFile(
      config,
      `environment: mine
stateDir: state
listen: { orchestrator: ${orchestrator}, http: ${http}, dbDoctor: ${dbDoctor}, cacheDoctor: ${cacheDoctor}, k8sDoctor: ${k8sDoctor}, resilience: ${resilience} }
targets:
  postgres:
    - name: orders
      url: ${postgres.url('starr', 'postgres')}
`,
    );
  }, 120_000);
  afterAll(async () => {
    await services.stop();
    await postgres.stop();
    await folder.remove();
  });

  const sweep = (...args: readonly string[]) => sweepInTime(services, ...args);
  const endFaults = () => Promise.all(faults.splice(0).map((fault) => fault.end()));
  const lines = (text: string) => text.split('\n').filter((line) => line !== '');

  it('before starr up: a sweep says what is missing, exit code 3', async () => {
    const { code, stderr } = await runStarr(['--config', config, 'sweep']);
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /^starr: \[CONFIG_UNREADABLE\] cannot read .*token; starr up makes it$/m,
    );
  });

  it('starr up starts the five with a small store of its own', async () => {
    services = await startServices(config);
    expect(Object.keys(await services.pids()).sort()).toEqual([
      'cache-doctor',
      'db-doctor',
      'k8s-doctor',
      'orchestrator',
      'resilience',
    ]);
    await access(join(folder.path, 'state', 'store'));
  }, 180_000);

  it('starr sweep asks the one server and nothing else', async () => {
    const swept = await sweep();
    expect(new Set(swept.answer.checks.map(({ target }) => target))).toEqual(new Set(['orders']));
    expect(swept.answer.checks.map(({ diagnostic }) => diagnostic)).toEqual(
      expect.arrayContaining(['db.connection-use', 'db.connection-leak']),
    );
    expect(swept.stderr).toBe('');
  });

  it('nothing found, but something could not be seen: exit code 2, and starr health says the same', async () => {
    faults.push(await fillSlots(postgres, 90, { user: 'shop' })); // somebody whose rows are hidden
    const swept = await sweep();
    expect(swept.code).toBe(2);
    expect(new Set(blindChecks(swept).map(({ why }) => why))).toEqual(new Set(['redacted']));
    const health = await services.starr('health');
    expect(health.code).toBe(2);
    expect(health.stdout).toMatch(/part\s+orders/);
    expect(health.stdout).toContain('cure: GRANT pg_monitor TO starr;');
  });

  it('starr grants prints what is lacking as SQL; run as it stands, less is lacking and everything is seen', async () => {
    const before = await services.starr('grants', 'orders');
    expect(before.code).toBe(2);
    expect(lines(before.stdout)).toEqual([
      '-- orders: lacking',
      'GRANT pg_monitor TO starr;',
      'GRANT pg_use_reserved_connections TO starr;',
      'ALTER SYSTEM SET reserved_connections = 2; -- takes effect with the next restart',
    ]);
    const now = lines(before.stdout).filter((line) => !line.includes('next restart'));
    await postgres.query(now.join('\n'));
    const after = await services.starr('grants', 'orders');
    expect(lines(after.stdout)).toEqual([
      '-- orders: lacking',
      'ALTER SYSTEM SET reserved_connections = 2; -- takes effect with the next restart',
    ]);

    const swept = await sweep();
    expect(swept.code).toBe(0);
    expect(blindChecks(swept)).toEqual([]);
    expect(new Set(Object.values(statuses(swept)))).toEqual(new Set(['healthy']));
    const health = await services.starr('health');
    expect({ code: health.code, stdout: health.stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/ok\s+orders\s+postgres\s+(\d+) of \1 checks see\s+looks only/),
    });
    await endFaults();
  });

  it('after the restart nothing is lacking, exit code 0', async () => {
    await postgres.query('ALTER SYSTEM SET reserved_connections = 2');
    await postgres.restart();
    const { code, stdout } = await services.starr('grants', 'orders');
    expect(stdout.trim()).toBe('-- orders: nothing is lacking');
    expect(code).toBe(0);
  });

  it('found: exit code 1, or 0 for who asks for critical ones alone or for none', async () => {
    faults.push(await leakConnections(postgres, 80, { user: 'shop', applicationName: 'shop' }));
    const swept = await waitUntil(
      async () => {
        const each = await sweep();
        return each.answer.severity === 'none' ? undefined : each;
      },
      { what: 'the leak to be a finding', withinMs: 60_000 },
    );
    expect(swept.code).toBe(1);
    expect(swept.incident).toMatch(/^INC-\d+$/); // the own store keeps it
    expect((await sweep('--fail-on', 'never')).code).toBe(0);
    const onCritical = await sweep('--fail-on', 'critical');
    expect(onCritical.code).toBe(onCritical.answer.severity === 'critical' ? 1 : 0);
    const shown = await services.starr('show', swept.incident!);
    expect(shown.code).toBe(0);
    await endFaults();
  });

  it('called wrongly: exit code 3, and what is allowed', async () => {
    const wrong = await services.starr('sweep', '--only', 'nobody');
    expect(wrong.code).toBe(3);
    expect(wrong.stderr).toContain('--only is "nobody"; allowed: orders, db.');
    const option = await services.starr('sweep', '--fail-on', 'always');
    expect(option.code).toBe(3);
    expect(option.stderr).toContain('Allowed choices are finding, critical, never');
    const target = await services.starr('grants', 'nobody');
    expect(target.code).toBe(3);
    expect(target.stderr).toContain('target is "nobody"; allowed: orders');
  });

  it('its own store is killed: a sweep says that it is not recorded, and starr up brings the store back', async () => {
    const store = await storePid();
    process.kill(store, 'SIGKILL');
    const swept = await sweep();
    expect(swept.code).toBe(0);
    expect(swept.stderr).toContain('the store is away: this sweep is not recorded');
    const again = await waitUntil(
      async () => {
        const each = await sweep();
        return each.stderr === '' ? each : undefined;
      },
      { what: 'the store to be back', withinMs: 60_000 },
    );
    expect(again.code).toBe(0);
    expect(services.up.output.lines.join('\n')).toMatch(
      /^ENDED {2}store {2}ended \(SIGKILL\), starts again in 250 ms$/m,
    );
    expect((await services.starr('show', 'INC-1')).code).toBe(0); // what it kept is kept
  });

  /** The postmaster says its pid in its data folder. */
  async function storePid(): Promise<number> {
    const folderOfStore = join(folder.path, 'state', 'store');
    const data = (await readdir(folderOfStore)).find((name) => name.startsWith('data-'));
    const text = await readFile(join(folderOfStore, data!, 'postmaster.pid'), 'utf8');
    return Number(text.split('\n')[0]);
  }

  it('killed with kill -9, starr up leaves nothing behind', async () => {
    const { pid } = services.up;
    const all = [pid, ...treeOf(pid)];
    expect(all.length).toBeGreaterThan(6); // itself, the five, the store with its own
    process.kill(pid, 'SIGKILL');
    await waitUntil(() => (all.some((each) => isAlive(each)) ? undefined : true), {
      what: 'everything to end with starr up',
      withinMs: 20_000,
    });
    const down = await runStarr(['--config', config, 'sweep']);
    expect(down.code).toBe(3);
    expect(down.stderr).toContain('is starr up running?');
  });

  it('starr up again goes on with the incidents of before', async () => {
    services = await startServices(config);
    const shown = await services.starr('show', 'INC-1');
    expect(shown.code).toBe(0);
  }, 180_000);
});
