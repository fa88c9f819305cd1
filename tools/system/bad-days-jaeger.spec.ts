import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { buildGoTools, startStage, waitUntil, type LabJaeger, type Stage } from '@starr/lab';
import { blindChecks, statuses, sweepInTime, type Swept } from './sweep-answer.ts';
import { watchServices, type ServicesWatch } from './watch-services.ts';

const tools = await buildGoTools('jaeger');
const onJaeger = tools.kind === 'present' ? describe : describe.skip;
const because = tools.kind === 'present' ? '' : ` (skipped: ${tools.why})`;

const CHECKS = ['traces.error-rate', 'traces.latency'];
const all = (status: string) => Object.fromEntries(CHECKS.map((id) => [id, status]));

jest.setTimeout(120_000); // a loaded machine is slow, not wrong

onJaeger(`on a bad day of Jaeger${because}`, () => {
  let stage: Stage;
  let jaeger: LabJaeger;
  let watch: ServicesWatch;
  let usual: Swept;

  beforeAll(async () => {
    stage = await startStage({ jaeger: true });
    jaeger = stage.jaeger!;
    await stage.shop.startTraffic({ perSecond: 20 });
    usual = await seen();
    watch = await watchServices(stage.services, stage.backstage);
  }, 300_000);
  afterAll(() => stage.stop());

  const sweep = () => sweepInTime(stage.services);
  const seen = () =>
    waitUntil(
      async () => {
        const swept = await sweep();
        return blindChecks(swept).length === 0 ? swept : undefined;
      },
      { what: 'enough requests in Jaeger', withinMs: 60_000 },
    );
  const address = () => new URL(jaeger.queryUrl).host;
  const expectTheRestAsUsual = async (swept: Swept) => {
    const others = ['db.', 'cache.', 'resilience.'] as const;
    expect(statuses(swept, ...others)).toEqual(statuses(usual, ...others));
    expect(blindChecks(swept, ...others)).toEqual([]);
    expect(await watch.troubles()).toEqual([]);
  };
  const expectBlind = async (swept: Swept, reason: { why: string; says: string; cure: string }) => {
    expect(swept.code).toBe(2);
    expect(statuses(swept, 'traces.')).toEqual(all('blind'));
    const { why, says: detail, cure } = reason;
    expect(
      blindChecks(swept).map((spot) => [spot.diagnostic, spot.why, spot.detail, spot.cure]),
    ).toEqual(CHECKS.map((id) => [id, why, detail, cure]));
    await expectTheRestAsUsual(swept);
  };
  const expectAllSeenAgain = async () => {
    const swept = await seen();
    expect(statuses(swept)).toEqual(statuses(usual));
    await expectTheRestAsUsual(swept);
  };

  it('a good day: requests are judged', () => {
    expect(usual.code).toBe(0);
    expect(statuses(usual, 'traces.')).toEqual(all('healthy'));
  });

  it('stopped: blind for want of an answer; sweeps, which are traced to it, are not held', async () => {
    jaeger.pause();
    try {
      for (let day = 0; day < 2; day += 1)
        await expectBlind(await sweep(), {
          why: 'timeout',
          says: `${address()}: no answer within 2000 ms`,
          cure: 'look at the Jaeger process and its storage: stopped, or searching slowly',
        });
    } finally {
      jaeger.resume();
    }
    await expectAllSeenAgain();
  });

  it('absent: blind for nobody listens', async () => {
    await jaeger.kill();
    await expectBlind(await sweep(), {
      why: 'unreachable',
      says: `${address()}: nothing listens there`,
      cure: `check that Jaeger runs and that ${address()} is its query API`,
    });
  });

  it.each([
    ['as if all were well', 200],
    ['as a login that it wants', 401],
  ])('a web page in its place, %s: never read as an answer', async (_, status) => {
    const page = await servePage(status);
    try {
      const swept = await sweep();
      const expected =
        status === 200
          ? {
              why: 'unsupported',
              says: `${address()}: answers with a web page, not with the query API`,
              cure: 'give the address of the query API with its base path (port 16686 by default), not that of a proxy or of another program',
            }
          : {
              why: 'denied',
              says: `${address()}: HTTP 401`,
              cure: 'let this host through to the query API without a login',
            };
      await expectBlind(swept, expected);
    } finally {
      page.closeAllConnections();
      page.close();
    }
  });

  it('back, with nothing in its memory: nothing to judge until requests have come', async () => {
    await jaeger.restart();
    const swept = await sweep();
    for (const { why } of blindChecks(swept)) expect(why).toBe('no-history');
    await expectTheRestAsUsual(swept);
    await expectAllSeenAgain();
  });

  it('after all of it: no descriptor more is open than before', async () => {
    expect(await watch.leaks()).toEqual([]);
  });

  async function servePage(status: number): Promise<Server> {
    const server = createServer((_request, response) => {
      response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' });
      response.end('<!doctype html><title>Sign in</title>');
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(Number(new URL(jaeger.queryUrl).port), '127.0.0.1', resolve);
    });
    return server;
  }
});
