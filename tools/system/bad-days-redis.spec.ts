import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { busyRedis, loadingRedis, startStage, waitUntil, type Fault, type Stage } from '@starr/lab';
import { blindChecks, statuses, sweepInTime, type Swept } from './sweep-answer.ts';
import { watchServices, type ServicesWatch } from './watch-services.ts';

const CHECKS = ['cache.hit-rate', 'cache.memory'];
const all = (status: string) => Object.fromEntries(CHECKS.map((id) => [id, status]));

jest.setTimeout(120_000); // a loaded machine is slow, not wrong

describe('on a bad day of Redis', () => {
  let stage: Stage;
  let watch: ServicesWatch;
  let usual: Swept;
  const faults: Fault[] = [];

  beforeAll(async () => {
    stage = await startStage();
    usual = await sweep();
    watch = await watchServices(stage.services, stage.backstage);
  }, 240_000);
  afterAll(() => stage.stop());
  afterEach(async () => {
    await Promise.all(faults.splice(0).map((fault) => fault.end()));
  });

  const sweep = () => sweepInTime(stage.services);
  /** A cure as it is printed, in the mouth of an administrator. */
  const runVerbatim = (cure: string) => stage.redis.command(...cure.split(' '));
  const passwordFile = () => join(stage.backstage.folder, 'redis.password');
  const address = () => `${stage.redis.host}:${stage.redis.port}`;
  /** The blind checks with their reasons, each reason once. */
  const reasons = (swept: Swept) => {
    const spots = blindChecks(swept, 'cache.').map(({ why, cure, detail }) => ({
      why,
      cure,
      detail,
    }));
    return [...new Map(spots.map((spot) => [JSON.stringify(spot), spot])).values()];
  };
  /** Redis is blind for one reason; what is not Redis's is as it always is, and nothing of ours is worse for it. */
  const expectBlind = async (swept: Swept, reason: { why: string; cure: string; says: string }) => {
    expect(swept.code).toBe(2);
    expect(statuses(swept, 'cache.')).toEqual(all('blind'));
    const { why, cure, says } = reason;
    expect(reasons(swept)).toEqual([{ why, cure, detail: expect.stringContaining(says) }]);
    await expectTheRestAsUsual(swept);
  };
  const expectTheRestAsUsual = async (swept: Swept) => {
    const others = ['db.', 'resilience.'] as const;
    expect(statuses(swept, ...others)).toEqual(statuses(usual, ...others));
    expect(blindChecks(swept, ...others)).toEqual([]);
    expect(await watch.troubles()).toEqual([]);
  };
  const expectAllSeen = async () => {
    const swept = await sweep();
    expect(blindChecks(swept)).toEqual([]);
    expect(swept.code).toBe(0);
    expect(statuses(swept)).toEqual(statuses(usual));
    await expectTheRestAsUsual(swept);
    await expectNoConnectionLeft();
  };
  /** Counters of two runs of a server say nothing: that alone is left of a restart. */
  const expectAllButTheWindow = async () => {
    const swept = await sweep();
    // with lookups since the start there is something to show beside it: then it is blind in part
    expect(
      swept.answer.blind.filter(({ diagnostic }) => diagnostic === 'cache.hit-rate'),
    ).toMatchObject([
      {
        why: 'no-history',
        cure: 'sweep again in a minute',
        detail: 'the server restarted between the two samples',
      },
    ]);
    expect(statuses(swept, 'cache.')['cache.memory']).toBe('healthy');
    await expectTheRestAsUsual(swept);
    await expectNoConnectionLeft();
  };
  /** One that looks, none that acts; those of before have ended. */
  const expectNoConnectionLeft = async () => {
    const users = async () =>
      [...String(await stage.redis.command('CLIENT', 'LIST')).matchAll(/ user=(starr\S*)/g)].map(
        ([, user]) => user,
      );
    const left = await waitUntil(
      async () => {
        const ours = await users();
        return ours.length <= 1 ? ours : undefined;
      },
      { what: 'our lost connections to end' },
    );
    expect(left).toEqual(['starr']);
  };

  it('a good day: everything is seen, on one connection', async () => {
    expect(usual.code).toBe(0);
    expect(statuses(usual, 'cache.')).toEqual(all('healthy'));
    await expectNoConnectionLeft();
  });

  it('stopped: blind for want of an answer, and sees again when it goes on', async () => {
    stage.redis.pause();
    try {
      for (let day = 0; day < 2; day += 1)
        await expectBlind(await sweep(), {
          why: 'timeout',
          cure: 'look at the process on its host: stopped, swapping, or busy with one long command',
          says: `${address()}: no answer within`,
        });
    } finally {
      stage.redis.resume();
    }
    await expectAllSeen();
  });

  it('a password that is wrong now: denied, and the right one in its file is enough', async () => {
    const before = await readFile(passwordFile(), 'utf8');
    await stage.redis.command('ACL', 'SETUSER', 'starr', 'resetpass', '>rotated');
    await stage.redis.command('CLIENT', 'KILL', 'USER', 'starr');
    await expectBlind(await sweep(), {
      why: 'denied',
      cure: 'put the password of user starr in the configuration of this target',
      says: 'user starr is unknown, disabled, or its password is wrong',
    });
    await writeFile(passwordFile(), 'rotated', { mode: 0o600 });
    await expectAllSeen();
    await stage.redis.command('ACL', 'SETUSER', 'starr', 'resetpass', `>${before}`);
    await writeFile(passwordFile(), before, { mode: 0o600 });
  });

  it('NOPERM: denied by name of the command; its cure, run as it stands, lets us look', async () => {
    await stage.redis.command('ACL', 'SETUSER', 'starr', '-info');
    const swept = await sweep();
    await expectBlind(swept, {
      why: 'denied',
      cure: 'ACL SETUSER starr +info',
      says: 'user starr may not run info',
    });
    await runVerbatim(reasons(swept)[0]!.cure!);
    await expectAllSeen();
  });

  it('BUSY with a script: turned away; its cure, run as it stands, ends the script', async () => {
    faults.push(await busyRedis(stage.redis));
    const swept = await sweep();
    await expectBlind(swept, {
      why: 'unreachable',
      cure: 'SCRIPT KILL',
      says: 'a script runs and every other command is answered with BUSY',
    });
    await runVerbatim(reasons(swept)[0]!.cure!);
    await expectAllSeen();
  });

  it('killed: blind for nobody listens, and sees again when it is back', async () => {
    await stage.redis.kill();
    await expectBlind(await sweep(), {
      why: 'unreachable',
      cure: `check that Redis runs and that ${address()} is its address`,
      says: 'nothing listens there',
    });
    await stage.redis.restart();
    await expectAllButTheWindow();
  });

  it('LOADING: nothing to judge yet, with how far it is; sees when the data are read', async () => {
    const loading = await loadingRedis(stage.redis, { keys: 100_000, lastsMs: 60_000 });
    faults.push(loading);
    const swept = await sweep();
    await expectBlind(swept, {
      why: 'unreachable',
      cure: 'wait until the data set is loaded; it answers by itself then',
      says: 'the server loads its data set',
    });
    await loading.end();
    await expectAllButTheWindow();
  });

  it('after a restart: nothing to compare with, and the cure, a minute of patience, is true', async () => {
    const isOver = async () =>
      (await sweep()).answer.blind.every(({ detail }) => !detail.includes('restarted'));
    await waitUntil(async () => ((await isOver()) ? true : undefined), {
      what: 'a window within one run of the server',
      withinMs: 90_000,
    });
    await expectAllSeen();
  }, 150_000);

  it('after all of it: no descriptor more is open than before', async () => {
    expect(await watch.leaks()).toEqual([]);
  });
});
