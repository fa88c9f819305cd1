import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { blindFromError, isBlindSpot, type BlindSpot, type Limit, type Look } from '@starr/kernel';
import { freePort, startJaeger, type LabJaeger } from '@starr/lab';
import { tracesErrorRate } from '../diagnostics/error-rate.ts';
import { tracesRead, type TraceSample } from '../reads/trace-sample.ts';
import type { RawTraces } from '../request.ts';
import { limitsOf } from '../test/limits-of.ts';
import { sendTraces, type SentSpan } from '../test/send-traces.ts';
import { createJaegerAdapter } from './create-jaeger-adapter.ts';
import { fetchTrace } from './fetch-trace.ts';
import type { JaegerConfig } from './jaeger-config.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

const lookAt = (now: Date, rest: Partial<Look> = {}): Look => ({
  now,
  windowMs: 1_800_000,
  version: '',
  target: 'jaeger',
  options: {},
  ...rest,
});

function limitOf(
  timeoutMs = 3000,
  signal = new AbortController().signal,
): Limit & { requests(): number } {
  let requests = 0;
  return {
    timeoutMs,
    maxRows: 100,
    signal,
    spend: (_, amount) => {
      requests += amount;
    },
    requests: () => requests,
  };
}

async function sampleFrom(
  config: JaegerConfig,
  rest: Partial<Look> = {},
  limit: Limit = limitOf(),
): Promise<TraceSample | BlindSpot> {
  const adapter = createJaegerAdapter(config);
  try {
    const { now } = await adapter.greet(limit);
    const look = lookAt(now, rest);
    const request = tracesRead.request(look);
    if (isBlindSpot(request)) return request;
    return tracesRead.parse(await adapter.perform(request, limit), look);
  } catch (error) {
    return blindFromError(error);
  } finally {
    await adapter.close();
  }
}

async function seenFrom(config: JaegerConfig, rest: Partial<Look> = {}): Promise<TraceSample> {
  const sample = await sampleFrom(config, rest);
  if (isBlindSpot(sample)) throw new Error(sample.detail);
  return sample;
}

/** An HTTP server of the test's own: a page, a proxy in front of the real Jaeger, or one that is ill. */
async function serving(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ readonly url: string } & AsyncDisposable> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

/** Passes on to Jaeger what begins with `path`; everything else gets `otherwise`. */
function proxy(
  jaeger: LabJaeger,
  path: string,
  otherwise: (response: ServerResponse) => void,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const url = request.url ?? '/';
    if (!url.startsWith(path)) {
      otherwise(response);
      return;
    }
    httpRequest(new URL(url, jaeger.queryUrl), (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    }).end();
  };
}

const page = (response: ServerResponse, status = 200): void => {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' });
  response.end('<!DOCTYPE html><title>Jaeger UI</title>');
};

describe('the adapter on a real Jaeger', () => {
  let jaeger: LabJaeger;
  const now = Date.now();
  const failedTrace = 'f'.repeat(32);
  beforeAll(async () => {
    jaeger = await startJaeger();
    await sendTraces(
      jaeger,
      [
        ...requests(40, { fromAgoMs: 50_000, failedFrom: 30 }),
        ...requests(40, { fromAgoMs: 1_200_000, failedFrom: 40 }),
        {
          traceId: failedTrace,
          service: 'users',
          name: 'GET /cart',
          kind: 2,
          agoMs: 3000,
          failed: true,
          spanId: 'a',
        },
        {
          traceId: failedTrace,
          service: 'checkout',
          name: 'POST /pay',
          kind: 2,
          agoMs: 2990,
          failed: true,
          spanId: 'b',
          parent: 'a',
          message: 'timeout acquiring client',
        },
        { service: 'db-doctor', name: 'Examine', kind: 2, agoMs: 2000, scope: 'starr' },
      ],
      now,
    );
  }, 600_000);
  afterAll(() => jaeger.stop());

  function requests(
    count: number,
    { fromAgoMs, failedFrom }: { fromAgoMs: number; failedFrom: number },
  ): readonly SentSpan[] {
    return Array.from({ length: count }, (_, index) => ({
      service: 'checkout',
      name: 'POST /checkout',
      kind: 2,
      agoMs: fromAgoMs - index * 1000,
      failed: index >= failedFrom,
    }));
  }

  it('greets with a clock and no version', async () => {
    const greeting = await createJaegerAdapter({ url: jaeger.queryUrl }).greet(limitOf());
    expect(greeting.version).toBe('');
    expect(Math.abs(greeting.now.getTime() - Date.now())).toBeLessThan(1000);
  });

  it("sees the requests of all services in all slices, and not Starr's own", async () => {
    const sample = await seenFrom({ url: jaeger.queryUrl });
    expect(sample.services.toSorted()).toEqual(['checkout', 'users']);
    expect(sample.spans).toHaveLength(82);
    expect(sample.blind).toEqual([]);
  });

  it('finds what fails, since when, and where', async () => {
    const traces = await seenFrom({ url: jaeger.queryUrl });
    const { findings = [] } = tracesErrorRate.judge(
      { traces },
      limitsOf(tracesErrorRate.thresholds),
      lookAt(new Date()),
    );
    expect(findings).toMatchObject([
      {
        about: { kind: 'service', name: 'checkout' },
        says: expect.stringMatching(
          /^checkout: 25 % of requests to POST \/checkout failed .* 0 % before$/,
        ) as unknown,
        since: new Date(now - 20_000),
      },
    ]);
    expect(tracesRead.relate?.(traces, lookAt(new Date()))).toContainEqual({
      from: { kind: 'service', name: 'users' },
      is: 'calls',
      to: { kind: 'service', name: 'checkout' },
    });
  });

  it('asks for no more than a list and a search a service and slice', async () => {
    const adapter = createJaegerAdapter({ url: jaeger.queryUrl });
    const limit = limitOf();
    const request = tracesRead.request(lookAt(new Date()));
    if (isBlindSpot(request)) throw new Error(request.detail);
    await adapter.perform(request, limit);
    expect(limit.requests()).toBe(1 + 2 * 6);
  });

  it('bounds traces and services, newest slices first', async () => {
    const adapter = createJaegerAdapter({ url: jaeger.queryUrl });
    const request = tracesRead.request(lookAt(new Date()));
    if (isBlindSpot(request)) throw new Error(request.detail);
    const raw = (await adapter.perform(
      { ...request, tracesPerSearch: 1, maxServices: 1 },
      limitOf(),
    )) as RawTraces;
    expect(raw.leftOut).toBe(1);
    expect(raw.searches.map(({ slice }) => slice).toSorted((a, b) => a - b)).toEqual([
      0, 1, 2, 3, 4, 5,
    ]);
    const [newest] = raw.searches.filter(({ slice }) => slice === 0);
    expect(
      newest?.answer.state === 'seen' &&
        new Set(JSON.stringify(newest.answer).match(/"traceId":"\w+"/g)).size,
    ).toBe(1);
  });

  it('searches the services of the target alone, also one of its own, and says which is unknown', async () => {
    const services = ['db-doctor', 'chekcout'];
    const sample = await seenFrom({ url: jaeger.queryUrl }, { options: { services } });
    expect(sample.services).toEqual(['db-doctor']);
    expect(sample.blind).toMatchObject([
      { why: 'no-history', detail: expect.stringContaining('chekcout') as unknown },
    ]);
  });

  it('reads one trace as a person looks at it', async () => {
    expect(await fetchTrace({ url: jaeger.queryUrl }, failedTrace)).toMatchObject([
      {
        service: 'users',
        name: 'GET /cart',
        isFailed: true,
        tookMs: 20,
        startedAt: new Date(now - 3000),
      },
      { service: 'checkout', name: 'POST /pay', parentSpanId: '000000000000000a', isFailed: true },
    ]);
    expect(await fetchTrace({ url: jaeger.queryUrl }, 'e'.repeat(32))).toEqual([]);
  });

  it.each([
    ['404', (response: ServerResponse) => response.writeHead(404).end('404 page not found')],
    [
      'the page',
      (response: ServerResponse) => {
        page(response);
      },
    ],
  ])('falls back to the old API where the new one answers %s', async (_, otherwise) => {
    await using old = await serving(proxy(jaeger, '/api/services', otherwise));
    expect(await seenFrom({ url: old.url }, { options: { services: ['none'] } })).toMatchObject({
      spans: [],
    });
    await using whole = await serving((request, response) => {
      if ((request.url ?? '').startsWith('/api/v3')) otherwise(response);
      else proxy(jaeger, '/api/', otherwise)(request, response);
    });
    const [ours, theirs] = [
      await seenFrom({ url: jaeger.queryUrl }),
      await seenFrom({ url: whole.url }),
    ];
    const byId = (a: { spanId: string; traceId: string }, b: { spanId: string; traceId: string }) =>
      `${a.traceId}${a.spanId}`.localeCompare(`${b.traceId}${b.spanId}`);
    expect(theirs.spans.toSorted(byId)).toEqual(ours.spans.toSorted(byId));
    expect(await fetchTrace({ url: whole.url }, failedTrace)).toHaveLength(2);
  });

  it('works behind a base path', async () => {
    await using behind = await serving((request, response) => {
      request.url = (request.url ?? '').replace(/^\/jaeger/, '');
      proxy(jaeger, '/api/', (other) => {
        page(other);
      })(request, response);
    });
    expect((await seenFrom({ url: `${behind.url}/jaeger/` })).spans).toHaveLength(82);
  });

  it('keeps what it saw when a part of the searches fails', async () => {
    await using flaky = await serving((request, response) => {
      const isUsers = (request.url ?? '').includes('serviceName=users');
      if (isUsers)
        response.writeHead(503).end('{"error":{"httpCode":503,"message":"storage is away"}}');
      else proxy(jaeger, '/', () => undefined)(request, response);
    });
    const sample = await seenFrom({ url: flaky.url });
    expect(sample.spans).toHaveLength(82); // those of users came with the traces of checkout
    expect(sample.blind).toMatchObject([
      {
        why: 'unreachable',
        detail: expect.stringContaining('HTTP 503, storage is away') as unknown,
      },
    ]);
  });

  it('gives up an answer that is too large, and says so', async () => {
    const sample = await seenFrom({ url: jaeger.queryUrl, maxBytes: 2000 });
    expect(sample.blind).toMatchObject([{ why: 'truncated', cure: expect.any(String) as unknown }]);
  });

  it('stopped: timed out within the limit; seen again when it goes on', async () => {
    jaeger.pause();
    const begun = performance.now();
    try {
      expect(await sampleFrom({ url: jaeger.queryUrl }, {}, limitOf(300))).toMatchObject({
        why: 'timeout',
        detail: expect.stringMatching(/no answer within 300 ms$/) as unknown,
      });
    } finally {
      jaeger.resume();
    }
    expect(performance.now() - begun).toBeLessThan(2500);
    expect((await seenFrom({ url: jaeger.queryUrl })).spans).toHaveLength(82);
  });

  it('lets go at once of a look that nobody waits for', async () => {
    jaeger.pause();
    const gone = new AbortController();
    const look = sampleFrom({ url: jaeger.queryUrl }, {}, limitOf(5000, gone.signal));
    gone.abort();
    try {
      expect(await look).toMatchObject({ kind: 'blind', why: 'timeout' });
    } finally {
      jaeger.resume();
    }
  });

  it('killed: unreachable; blind without traces when it is back empty', async () => {
    await jaeger.kill();
    expect(await sampleFrom({ url: jaeger.queryUrl })).toMatchObject({
      why: 'unreachable',
      detail: expect.stringMatching(/nothing listens there$/) as unknown,
    });
    await jaeger.restart();
    const traces = await seenFrom({ url: jaeger.queryUrl });
    const verdict = tracesErrorRate.judge(
      { traces },
      limitsOf(tracesErrorRate.thresholds),
      lookAt(new Date()),
    );
    expect(verdict).toMatchObject({ measured: [], blind: [{ why: 'no-history' }] });
  });
});

describe('what is no query API', () => {
  it('nothing listens: unreachable', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    expect(await sampleFrom({ url })).toMatchObject({
      why: 'unreachable',
      cure: expect.stringContaining('check that Jaeger runs') as unknown,
    });
  });

  it.each([
    ['a page for everything', 200, 'unsupported', /web page/],
    ['a login page', 401, 'denied', /HTTP 401/],
    ['a forbidding page', 403, 'denied', /HTTP 403/],
    ['a gateway without Jaeger', 502, 'unreachable', /HTTP 502/],
    ['a page that is not there', 404, 'unsupported', /web page/],
    ['an error page', 500, 'unsupported', /HTTP 500/],
  ])('%s (%d) is %s', async (_, status, why, detail) => {
    await using server = await serving((__, response) => {
      page(response, status);
    });
    expect(await sampleFrom({ url: server.url })).toMatchObject({
      why,
      detail: expect.stringMatching(detail) as unknown,
    });
  });

  it.each([
    ['text', 'text/plain', 'hello'],
    ['broken JSON', 'application/json', '{"services":['],
  ])('%s is not believed', async (_, type, body) => {
    await using server = await serving((__, response) => {
      response.writeHead(200, { 'content-type': type }).end(body);
    });
    expect(await sampleFrom({ url: server.url })).toMatchObject({
      kind: 'blind',
      why: 'unsupported',
    });
  });

  it.each(['{"services":"many"}', '{"data":{}}', '[]', '"services"', 'null'])(
    'JSON of another program is not believed: %s',
    async (body) => {
      await using server = await serving((__, response) => {
        response.writeHead(200, { 'content-type': 'application/json' }).end(body);
      });
      expect(await sampleFrom({ url: server.url })).toMatchObject({
        kind: 'blind',
        why: 'unsupported',
      });
    },
  );

  it('an answer that never ends is timed out', async () => {
    await using server = await serving((__, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{');
    });
    expect(await sampleFrom({ url: server.url }, {}, limitOf(200))).toMatchObject({
      why: 'timeout',
    });
  });

  it.each(['ftp://jaeger', 'jaeger:16686', ''])('refuses the url %j', async (url) => {
    await expect(createJaegerAdapter({ url }).greet(limitOf())).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });

  it('can do nothing', async () => {
    const adapter = createJaegerAdapter({ url: 'http://127.0.0.1:1' });
    const acted = async (): Promise<void> => {
      for await (const _ of adapter.apply(undefined as never, 'op', limitOf())) return;
    };
    await expect(acted()).rejects.toMatchObject({ code: 'REMEDY_UNKNOWN' });
    await expect(adapter.probe(undefined as never, 'op', limitOf())).rejects.toMatchObject({
      code: 'REMEDY_UNKNOWN',
    });
  });
});
