import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { freePort } from '@starr/lab';
import { probeDependency } from './probe-dependency.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const probe = (url: string, withinMs = 1000, signal = new AbortController().signal) =>
  probeDependency({ name: 'payments', url }, withinMs, signal);

describe('the probe of a dependency', () => {
  it('tells status and time of the answer, and follows no redirect', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
    });
    const { outcome } = await probe(url);
    expect(outcome).toMatchObject({ kind: 'answered', status: 302 });
  });

  it('asks twice before it believes a failure', async () => {
    let asked = 0;
    const url = await serve((_request, response) => {
      asked++;
      response.writeHead(asked === 1 ? 503 : 200).end();
    });
    expect((await probe(url)).outcome).toMatchObject({ kind: 'answered', status: 200 });
    const failing = await serve((_request, response) => {
      response.writeHead(500).end();
    });
    expect((await probe(failing)).outcome).toMatchObject({ kind: 'answered', status: 500 });
  });

  it('asks once when the first answer is good', async () => {
    let asked = 0;
    const url = await serve((_request, response) => {
      asked++;
      response.end();
    });
    await probe(url);
    expect(asked).toBe(1);
  });

  it('gives the reason of the system when nobody listens', async () => {
    const port = await freePort();
    expect((await probe(`http://127.0.0.1:${port}/`)).outcome).toEqual({
      kind: 'failed',
      why: 'ECONNREFUSED',
      attempts: 2,
    });
  });

  it('ends within its time when the other side is silent', async () => {
    const url = await serve(() => undefined);
    const startedMs = performance.now();
    expect((await probe(url, 300)).outcome).toMatchObject({
      kind: 'failed',
      why: 'no answer within 150 ms',
    });
    expect(performance.now() - startedMs).toBeLessThan(5000); // a silent server stays silent for ever
  });

  it('ends at once when nobody waits for it any more', async () => {
    const url = await serve(() => undefined);
    const startedMs = performance.now();
    expect((await probe(url, 30_000, AbortSignal.timeout(50))).outcome.kind).toBe('failed');
    expect(performance.now() - startedMs).toBeLessThan(10_000); // not the 30 s that it was given
  });
});
