import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Traffic, type TrafficOptions, startTraffic } from './traffic.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

describe('traffic', () => {
  let status = 200;
  let asked = 0;
  let traffic: Traffic | undefined;
  const server = createServer((request, response) => {
    asked += 1;
    request.resume();
    response.writeHead(status).end(JSON.stringify({ error: 'because' }));
  });
  const start = async (options: Omit<TrafficOptions, 'targets'>, targets?: string[]) => {
    const { port } = server.address() as AddressInfo;
    traffic = await startTraffic('127.0.0.1', {
      targets: targets ?? [`http://127.0.0.1:${port}`],
      perSecond: 50,
      windowMs: 200,
      ...options,
    });
    return traffic;
  };
  beforeEach(async () => {
    status = 200;
    asked = 0;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    await traffic?.stop();
    traffic = undefined;
    await new Promise((resolve) => server.close(resolve));
  });

  it('ends by itself at its bound in time, having sent at its rate and no more', async () => {
    const { process, windows } = await start({ forMs: 1000 });
    await process.exited;
    expect(asked).toBeGreaterThanOrEqual(48);
    expect(asked).toBeLessThanOrEqual(50);
    expect(windows.reduce((sum, { ok }) => sum + ok, 0)).toBe(asked);
  });

  it('tells a failing shop from a well one, with the reasons', async () => {
    const users = await start({});
    await users.untilWell({ windows: 2, withinMs: 5000 });
    await expect(users.untilFelt({ withinMs: 500 })).rejects.toThrow(
      'waited 500 ms for users to feel it',
    );
    status = 503;
    const felt = await users.untilFelt({ atMost: 0, withinMs: 5000 });
    expect(felt).toMatchObject({ ok: 0, successRatio: 0 });
    expect(Object.keys(felt.reasons)).toEqual(['503 because']);
    await expect(users.untilWell({ windows: 1, withinMs: 500 })).rejects.toThrow(
      'users to be well',
    );
  });

  it('takes the next target when one refuses the connection', async () => {
    const { port } = server.address() as AddressInfo;
    const users = await start({}, ['http://127.0.0.1:1', `http://127.0.0.1:${port}`]);
    await users.untilWell({ atLeast: 1, windows: 3, withinMs: 5000 });
  });

  it('fails for all users when nobody listens', async () => {
    const users = await start({}, ['http://127.0.0.1:1']);
    const felt = await users.untilFelt({ atMost: 0, withinMs: 5000 });
    expect(Object.keys(felt.reasons)).toEqual(['ECONNREFUSED']);
  });

  it('refuses a target that is not on loopback', async () => {
    await expect(start({}, ['http://192.0.2.1:80'])).rejects.toThrow(
      'is not an address on loopback',
    );
    const users = await start({});
    await expect(users.aim(['http://example.com'])).rejects.toThrow(
      'is not an address on loopback',
    );
  });
});
