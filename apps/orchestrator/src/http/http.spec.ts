import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from '@jest/globals';
import { startPostgres, type LabPostgres } from '@starr/lab';
import type { OrchestratorConfig } from '../config.ts';
import { collect, untilTrue } from '../test/collect.ts';
import { House } from '../test/house.ts';
import { startPond, type Pond } from '../test/pond.ts';

jest.setTimeout(60_000);

/** A place that messages go to. */
interface Inbox {
  readonly url: string;
  readonly messages: { readonly headers: IncomingHttpHeaders; readonly body: unknown }[];
  /** Answers with these first, then 200. */
  statuses: number[];
}

let server: LabPostgres;
let house: House;
let pond: Pond;
let inbox: Inbox;
let inboxServer: Server;
let databases = 0;

beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(() => server.stop());
beforeEach(async () => {
  [house, pond] = await Promise.all([House.build(), startPond()]);
  const messages: Inbox['messages'] = [];
  inboxServer = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      messages.push({ headers: request.headers, body: JSON.parse(text) as unknown });
      response.writeHead(inbox.statuses.shift() ?? 200).end();
    });
  });
  await new Promise<void>((resolve) => inboxServer.listen(0, '127.0.0.1', resolve));
  const { port } = inboxServer.address() as AddressInfo;
  inbox = { url: `http://127.0.0.1:${port}/hook`, messages, statuses: [] };
});
afterEach(async () => {
  await house.end();
  await pond[Symbol.asyncDispose]();
  inboxServer.closeAllConnections();
  await new Promise((resolve) => inboxServer.close(resolve));
});

async function open(more: Partial<OrchestratorConfig> = {}) {
  databases += 1;
  await server.query(`CREATE DATABASE http_${databases}`);
  const doctor = await house.doctor('pond-doctor', { lake: pond.url });
  const storeUrl = server.url('postgres', `http_${databases}`);
  const { running, client } = await house.orchestrator([doctor], { storeUrl, ...more });
  await client.describeCatalog();
  const base = `http://127.0.0.1:${running.httpPort}`;
  const ask = (path: string, init: RequestInit & { token?: string } = {}) => {
    const { token = house.state.token, ...rest } = init;
    const headers: Record<string, string> =
      token === '' ? {} : { authorization: `Bearer ${token}` };
    return fetch(`${base}${path}`, { headers, ...rest });
  };
  return { client, ask, base };
}

const alertBody = (groupKey = 'group', status = 'firing') =>
  JSON.stringify({
    version: '4',
    groupKey,
    status,
    alerts: [{ status, labels: { alertname: 'HighErrorRate' }, startsAt: '2026-11-24T03:06:00Z' }],
  });
const post = (body: string) => ({ method: 'POST', body });

describe('an alert', () => {
  it('opens a sweep and an incident, and one message with the cause goes out', async () => {
    pond.level = 30;
    const { client, ask } = await open({ notify: [{ shape: 'slack', url: inbox.url }] });
    const response = await ask('/alerts', post(alertBody()));
    expect(response.status).toBe(202);
    await untilTrue(() => inbox.messages.length === 1);
    const { text } = inbox.messages[0]?.body as { text: string };
    expect(text.split('\n')[0]).toBe('garden: lake is too full.');
    expect(text).toContain('starr plan INC-1.1');
    const { incident } = await client.getIncident('INC-1');
    expect(incident).toMatchObject({ openedBy: 'alert:HighErrorRate', status: 'open' });
  });

  it('for which nothing is found opens an incident that says so', async () => {
    const target = { shape: 'pagerduty', url: inbox.url, routingKey: 'key' } as const;
    const { client, ask } = await open({ notify: [target] });
    await ask('/alerts', post(alertBody()));
    await untilTrue(() => inbox.messages.length === 1);
    expect(inbox.messages[0]?.body).toMatchObject({
      routing_key: 'key',
      event_action: 'trigger',
      dedup_key: 'starr-INC-1',
      payload: { source: 'garden', severity: 'info', summary: 'garden: Nothing found.' },
    });
    expect((await client.getIncident('INC-1')).incident.title).toBe(
      'HighErrorRate fires; nothing was found',
    );
    // Told again it is the same incident.
    await ask('/alerts', post(alertBody()));
    await untilTrue(() => inbox.messages.length === 2);
    expect((await client.listIncidents(10)).incidents).toHaveLength(1);
  });

  it('told again while its sweep runs is one', async () => {
    pond.isSilent = true;
    const { ask } = await open({ notify: [{ shape: 'slack', url: inbox.url }] });
    const replies = [];
    for (let times = 0; times < 3; times += 1)
      replies.push(await (await ask('/alerts', post(alertBody()))).text());
    expect(replies).toEqual(['begun\n', 'under-way\n', 'under-way\n']);
    expect(await (await ask('/alerts', post(alertBody('group', 'resolved')))).text()).toBe(
      'resolved\n',
    );
    await untilTrue(() => inbox.messages.length === 1);
  });

  it('is told once more where the inbox was busy, and not where it refused', async () => {
    inbox.statuses = [503];
    const { ask } = await open({ notify: [{ shape: 'slack', url: inbox.url }] });
    await ask('/alerts', post(alertBody('one')));
    await untilTrue(() => inbox.messages.length === 2);
    inbox.statuses = [400];
    await ask('/alerts', post(alertBody('two')));
    await untilTrue(() => inbox.messages.length === 3);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(inbox.messages).toHaveLength(3);
  });

  it('is answered with the store away: the message goes out, without an incident', async () => {
    pond.level = 30;
    const { ask } = await open({
      storeUrl: 'postgresql://postgres@127.0.0.1:1/x',
      notify: [{ shape: 'slack', url: inbox.url }],
    });
    await ask('/alerts', post(alertBody()));
    await untilTrue(() => inbox.messages.length === 1);
    expect((inbox.messages[0]?.body as { text: string }).text).not.toContain('INC-');
  });
});

describe('the HTTP server', () => {
  it('needs the token but for health and metrics', async () => {
    const { ask } = await open();
    for (const path of ['/healthz', '/metrics'])
      expect((await ask(path, { token: '' })).status).toBe(200);
    for (const token of ['', 'guess']) {
      expect((await ask('/alerts', { ...post(alertBody()), token })).status).toBe(401);
      expect((await ask('/incidents/INC-1.md', { token })).status).toBe(401);
      expect((await ask('/nothing', { token })).status).toBe(401);
    }
    expect((await ask('/nothing')).status).toBe(404);
    expect((await ask('/alerts')).status).toBe(405);
    expect((await ask('/alerts', post('{'))).status).toBe(400);
    expect((await ask('/alerts', post('x'.repeat(1024 * 1024 + 1)))).status).toBe(413);
  });

  it('gives the record of an incident as Markdown and JSON', async () => {
    pond.level = 30;
    const { client, ask } = await open();
    await collect(client.sweep({}, new AbortController().signal));
    const markdown = await ask('/incidents/INC-1.md');
    expect(markdown.headers.get('content-type')).toBe('text/markdown; charset=utf-8');
    expect(await markdown.text()).toContain('# INC-1: lake is too full.');
    const json: unknown = await (await ask('/incidents/INC-1.json')).json();
    expect(json).toMatchObject({ version: 1, incident: 'INC-1', status: 'open' });
    expect((await ask('/incidents/INC-9.md')).status).toBe(404);
    expect((await ask('/incidents/..%2F..%2Fetc.md')).status).toBe(404);
    await client.resolveIncident('INC-1', 'drained');
    expect(await (await ask('/incidents/INC-1.json')).json()).toMatchObject({ status: 'resolved' });
  });

  it('counts sweeps', async () => {
    const { client, ask } = await open();
    await collect(client.sweep({}, new AbortController().signal));
    const text = await (await ask('/metrics', { token: '' })).text();
    expect(text).toContain('starr_sweeps_total 1\n');
    expect(text).toContain('starr_sweeps_unrecorded_total 0\n');
    expect(text).toMatch(/starr_sweep_last_seconds 0\.\d+\n/);
  });
});
