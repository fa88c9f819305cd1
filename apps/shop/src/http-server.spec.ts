import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { faultRoutes } from './fault-routes.ts';
import { FaultSwitch } from './faults.ts';
import { type HttpServer, serve } from './http-server.ts';
import { createLog } from './log.ts';

describe('the HTTP server of the shop', () => {
  let server: HttpServer;
  const lines: string[] = [];
  const faults = new FaultSwitch();
  const post = async (path: string, body: string) => {
    const response = await fetch(`${server.url}${path}`, { method: 'POST', body });
    return [response.status, await response.json()];
  };
  beforeEach(async () => {
    lines.length = 0;
    const log = createLog({ service: 'test' }, (line) => lines.push(line));
    const routes = {
      'POST /echo': (body: unknown) => ({ status: 200, body: { body } }),
      'POST /boom': () => {
        throw new Error('password=hunter2 in a driver’s message');
      },
      ...faultRoutes(faults),
    };
    server = await serve('127.0.0.1', 0, routes, log);
  });
  afterEach(() => server.stop());

  it('parses what comes and answers JSON', async () => {
    expect(await post('/echo', '{"a":[1]}')).toEqual([200, { body: { a: [1] } }]);
    expect(await post('/echo', '')).toEqual([200, {}]);
  });

  it.each([
    ['/echo', 'not json', 400, 'the body is not JSON'],
    ['/echo', `"${'x'.repeat(65_535)}"`, 400, 'the body is larger than 65536 bytes'],
    ['/nowhere', '{}', 404, 'no such path'],
    ['/faults', '{"on":"fire"}', 400, '"fire" is not a fault'],
    ['/faults', '{"off":["errors"]}', 400, '"off" must be text'],
  ])('answers POST %s with %.20s by %i', async (path, body, status, error) => {
    const [answered, said] = await post(path, body);
    expect(answered).toBe(status);
    expect((said as { error: string }).error).toContain(error);
  });

  it('tells a caller nothing of an error inside', async () => {
    expect(await post('/boom', '{}')).toEqual([500, { error: 'internal' }]);
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
      'request failed',
    ]);
  });

  it('switches faults, off before on, and shows them', async () => {
    expect(await post('/faults', '{"on":"errors:5,slow-query"}')).toMatchObject([200, {}]);
    expect(await post('/faults', '{"off":"errors,slow-query","on":"errors:7"}')).toEqual([
      200,
      { faults: [{ name: 'errors', amount: 7 }] },
    ]);
    const shown = await fetch(`${server.url}/faults`);
    expect(await shown.json()).toEqual({ faults: [{ name: 'errors', amount: 7 }] });
    expect(lines).toEqual([]); // the log does not give the answer away
  });
});
