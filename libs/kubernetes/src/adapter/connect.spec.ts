import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { systemClock } from '@starr/kernel';
import type { KubernetesAccess } from '../kubernetes-config.ts';
import { limitOf } from '../test/sweep-once.ts';
import { createAsker } from './ask.ts';
import { createConnection } from './connect.ts';
import { createGate } from './gate.ts';

/** What is tried here is what is sent, so a listener that says what it got is enough; servers: contract.spec.ts. */
describe('the credential', () => {
  let server: Server;
  let url: string;
  let folder: string;
  const seen: (string | undefined)[] = [];
  const agents: (string | undefined)[] = [];
  const paths: (string | undefined)[] = [];
  let accepted = 'Bearer good';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'starr-connect-'));
    server = createServer((request, response) => {
      seen.push(request.headers.authorization);
      agents.push(request.headers['user-agent']);
      paths.push(request.url);
      if (request.url === '/below/cut') {
        response.destroy();
        return;
      }
      response.writeHead(request.headers.authorization === accepted ? 200 : 401);
      response.end('x'.repeat(100));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true });
  });

  /** A user of a kubeconfig, by what stands below `user:`. */
  const kubeconfig = async (name: string, user: object, more = {}): Promise<KubernetesAccess> => {
    const path = join(folder, `${name}.yaml`);
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'first',
      clusters: [
        { name: 'c', cluster: { server: `${url}/below`, 'insecure-skip-tls-verify': true } },
      ],
      users: [
        { name: 'u', user },
        { name: 'other', user: { token: 'other' } },
      ],
      contexts: [
        { name: 'first', context: { cluster: 'c', user: 'u' } },
        { name: 'second', context: { cluster: 'c', user: 'other' } },
      ],
    };
    await writeFile(path, JSON.stringify(config));
    return { kind: 'kubeconfig', path, ...more };
  };
  const asking = async (
    access: KubernetesAccess,
    path = '/version',
    timeoutMs = 3000,
    method: 'GET' | 'PATCH' = 'GET',
  ) => {
    seen.length = 0;
    const connection = createConnection(access);
    const ask = createAsker(
      connection,
      createGate({ maxParallel: 4, perSecond: 100, burst: 100 }, systemClock),
    );
    try {
      return await ask(
        {
          method,
          path,
          signal: AbortSignal.timeout(timeoutMs),
          what: 'x',
          spends: 'reads',
          maxBytes: 10,
        },
        limitOf(),
      );
    } finally {
      connection.close();
    }
  };

  it('is the token of the current context, and the answer is bounded', async () => {
    const answer = await asking(await kubeconfig('token', { token: 'good' }));
    expect(answer).toMatchObject({ status: 200, text: 'xxxxxxxxxx', cut: true });
    expect(seen).toEqual(['Bearer good']);
    expect(agents.at(-1)).toBe('starr-k8s-doctor');
    expect(paths.at(-1)).toBe('/below/version');
  });

  it('is that of another context where one is named', async () => {
    const access = await kubeconfig('contexts', { token: 'good' }, { context: 'second' });
    await expect(asking(access)).rejects.toMatchObject({ code: 'TARGET_DENIED' });
    expect(seen).toEqual(['Bearer other', 'Bearer other']);
  });

  it('may be a name and a password', async () => {
    accepted = `Basic ${Buffer.from('ann:pass').toString('base64')}`;
    expect(
      (await asking(await kubeconfig('basic', { username: 'ann', password: 'pass' }))).status,
    ).toBe(200);
    accepted = 'Bearer good';
  });

  it('is read again when it is refused: it may have been renewed meanwhile', async () => {
    const access = await kubeconfig('renewed', { token: 'old' });
    const connection = createConnection(access);
    const send = () =>
      connection.send({
        method: 'GET',
        path: '/',
        maxBytes: 10,
        signal: AbortSignal.timeout(3000),
      });
    expect((await send()).status).toBe(401);
    await kubeconfig('renewed', { token: 'good' });
    connection.forgetCredential();
    expect((await send()).status).toBe(200);
    connection.close();
  });

  it('may come from a plugin, which is asked once', async () => {
    const answer = {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: 'good' },
    };
    const count = join(folder, 'count');
    const script = `echo >> ${count}; echo '${JSON.stringify(answer)}'`;
    const access = await kubeconfig('exec', {
      exec: { apiVersion: answer.apiVersion, command: 'sh', args: ['-c', script] },
    });
    const connection = createConnection(access);
    const signal = AbortSignal.timeout(5000);
    for (let n = 0; n < 3; n += 1) {
      const { status } = await connection.send({ method: 'GET', path: '/', maxBytes: 10, signal });
      expect(status).toBe(200);
    }
    connection.close();
    expect(await readFile(count, 'utf8')).toBe('\n');
  });

  it('of a plugin that hangs is waited for no longer than the limit', async () => {
    const access = await kubeconfig('hanging', {
      exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'sleep', args: ['1'] },
    });
    const began = performance.now();
    await expect(asking(access, '/version', 300)).rejects.toMatchObject({
      code: 'EVIDENCE_TIMEOUT',
    });
    expect(performance.now() - began).toBeLessThan(900);
    await systemClock.sleep(900); // until it has ended
  });

  it.each<[string, () => Promise<KubernetesAccess>, string, RegExp]>([
    [
      'no such file',
      () => Promise.resolve({ kind: 'kubeconfig', path: '/none/kubeconfig' }),
      'CONFIG_UNREADABLE',
      /\/none\/kubeconfig/,
    ],
    [
      'no such context',
      () => kubeconfig('absent', { token: 'good' }, { context: 'third' }),
      'CONFIG_INVALID',
      /no context third; it has first, second/,
    ],
    [
      'no such token file',
      () => Promise.resolve({ kind: 'token', server: url, tokenFile: '/none/token' }),
      'CONFIG_UNREADABLE',
      /\/none\/token/,
    ],
  ])('%s: said, not guessed', async (_what, access, code, says) => {
    await expect(asking(await access())).rejects.toMatchObject({
      code,
      rawMessage: expect.stringMatching(says),
    });
  });

  it('asks again after a connection that broke, but never writes twice', async () => {
    const access = await kubeconfig('cut', { token: 'good' });
    await expect(asking(access, '/cut')).rejects.toMatchObject({ code: 'TARGET_UNREACHABLE' });
    expect(seen).toHaveLength(4);
    await expect(asking(access, '/cut', 3000, 'PATCH')).rejects.toMatchObject({
      code: 'TARGET_UNREACHABLE',
    });
    expect(seen).toHaveLength(1);
  });
});
