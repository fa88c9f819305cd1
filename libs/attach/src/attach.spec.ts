import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { freePort } from '@starr/lab';
import { createPolicies } from '@starr/policies';
import type { ProcessMessage } from '@starr/wire';
import { attach } from './attach.ts';
import type { AttachOptions } from './attach-options.ts';
import {
  startAttachServer,
  type AttachServer,
  type AttachServerOptions,
} from './test/attach-server.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function serve(options: AttachServerOptions = {}): Promise<AttachServer> {
  const server = await startAttachServer(options);
  closing.push(() => server.stop());
  return server;
}

function join(port: number, more: Partial<AttachOptions> = {}) {
  const policies = createPolicies({ service: 'checkout' });
  const breaker = policies.breaker('payments', { opensOn: { kind: 'consecutive', failures: 1 } });
  const changes: string[] = [];
  const attachment = attach({
    policies,
    address: `127.0.0.1:${port}`,
    retryMs: { first: 20, longest: 100 },
    onChange: ({ state }) => changes.push(state),
    ...more,
  });
  closing.push(() => attachment.stop());
  return { attachment, breaker, changes };
}

async function until(holds: () => boolean): Promise<void> {
  const endsAt = Date.now() + 8000;
  while (!holds()) {
    if (Date.now() > endsAt) throw new Error('it did not come true in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const of = <K extends ProcessMessage['kind']>(server: AttachServer, kind: K) =>
  server.heard.filter(
    (message): message is Extract<ProcessMessage, { kind: K }> => message.kind === kind,
  );

describe('an attached process', () => {
  it('says who it is first, then what its policies show', async () => {
    const server = await serve();
    const { attachment } = join(server.port, {
      version: '1.8.2',
      instance: 'a',
      pod: { namespace: 'shop', name: 'checkout-x', ip: '10.0.0.7' },
    });
    await until(() => server.heard.length >= 2);
    expect(server.heard).toMatchObject([
      {
        kind: 'hello',
        identity: {
          service: 'checkout',
          instance: 'a',
          version: '1.8.2',
          pid: process.pid,
          pod: { namespace: 'shop', name: 'checkout-x', ip: '10.0.0.7' },
        },
      },
      { kind: 'report', report: { policies: [{ kind: 'breaker', name: 'payments' }] } },
    ]);
    expect(attachment.state).toBe('attached');
  });

  it('reports a transition at once, and many at once as one', async () => {
    const server = await serve();
    const { breaker } = join(server.port);
    await until(() => of(server, 'report').length === 1);
    for (let turn = 0; turn < 20; turn++) breaker.reset();
    await breaker.run(() => Promise.reject(new Error('ill'))).catch(() => undefined);
    await until(() => of(server, 'report').length === 2);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const reports = of(server, 'report');
    expect(reports).toHaveLength(2);
    expect(reports[1]?.report.policies).toMatchObject([{ state: 'open' }]);
  });

  it('answers commands: a report by a report, the others by an acknowledgement', async () => {
    const server = await serve();
    const { breaker } = join(server.port);
    await until(() => of(server, 'report').length === 1);
    server.send({ kind: 'command', id: 'look-1', command: { kind: 'report-now' } });
    await until(() => of(server, 'report').length === 2);
    expect(of(server, 'report')[1]?.report.answers).toBe('look-1');
    const { epoch } = breaker.snapshot();
    const reset = { kind: 'reset-breaker', breaker: 'payments', epoch, state: 'closed' } as const;
    server.send({ kind: 'command', id: 'op-1', command: reset });
    server.send({
      kind: 'command',
      id: 'recall-op-1',
      command: { kind: 'recall', commandId: 'op-1' },
    });
    server.send({ kind: 'command', id: 'op-2', command: undefined });
    await until(() => of(server, 'acknowledgement').length === 3);
    expect(
      of(server, 'acknowledgement').map(({ commandId, end }) => [commandId, end.kind]),
    ).toEqual([
      ['op-1', 'done'],
      ['recall-op-1', 'done'],
      ['op-2', 'not-done'],
    ]);
  });

  it('remembers its commands over a loss of the stream', async () => {
    const first = await serve();
    const { breaker, changes } = join(first.port, { instance: 'a' });
    await until(() => of(first, 'report').length === 1);
    const { epoch } = breaker.snapshot();
    const reset = { kind: 'reset-breaker', breaker: 'payments', epoch, state: 'closed' } as const;
    first.send({ kind: 'command', id: 'op-1', command: reset });
    await until(() => of(first, 'acknowledgement').length === 1);
    await first.stop();
    await until(() => changes.includes('away'));
    const second = await serve({ port: first.port });
    await until(() => of(second, 'report').length === 1);
    second.send({ kind: 'command', id: 'op-1', command: { ...reset, epoch: epoch + 1 } });
    await until(() => of(second, 'acknowledgement').length === 1);
    expect(of(second, 'acknowledgement')).toEqual(of(first, 'acknowledgement'));
    expect(breaker.snapshot().epoch).toBe(epoch + 1);
    expect(changes).toEqual(['attached', 'away', 'attached']);
  });

  it('says goodbye when it stops, and stops twice as well as once', async () => {
    const server = await serve();
    const { attachment } = join(server.port);
    await until(() => attachment.state === 'attached');
    await Promise.all([attachment.stop(), attachment.stop()]);
    await until(() => of(server, 'goodbye').length === 1);
    expect(attachment.state).toBe('stopped');
    expect(server.heard.at(-1)).toEqual({ kind: 'goodbye' });
  });

  it('stops within its time although the service never ends the stream', async () => {
    const server = await serve({ endsStreams: false });
    const { attachment } = join(server.port);
    await until(() => attachment.state === 'attached');
    const startedMs = performance.now();
    await attachment.stop();
    expect(performance.now() - startedMs).toBeLessThan(1800);
  });
});

describe('a service that is away', () => {
  it('is joined when it comes, and its absence is told once', async () => {
    const port = await freePort();
    const { breaker, changes } = join(port);
    await expect(breaker.run(() => 7)).resolves.toBe(7);
    await until(() => changes.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(changes).toEqual(['away']);
    const server = await serve({ port });
    await until(() => of(server, 'report').length === 1);
    expect(changes).toEqual(['away', 'attached']);
  });

  it('does not hold up the end of the process', async () => {
    const server = await serve();
    const { attachment, changes } = join(server.port);
    await until(() => attachment.state === 'attached');
    await server.stop();
    await until(() => changes.includes('away'));
    const startedMs = performance.now();
    await attachment.stop();
    expect(performance.now() - startedMs).toBeLessThan(500);
  });

  it('does not keep a program from ending by itself', async () => {
    const port = await freePort();
    const program = fileURLToPath(new URL('./test/lonely-program.ts', import.meta.url));
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [
        '--conditions=@starr/source',
        '--disable-warning=ExperimentalWarning',
        program,
        String(port),
      ],
      { timeout: 15_000, env: {} },
    );
    expect(stdout).toBe('done');
  }, 20_000);

  it('is asked again after one that opens streams and says nothing', async () => {
    const server = await serve({ welcomes: false });
    const { attachment } = join(server.port);
    await until(() => of(server, 'hello').length === 2);
    expect(attachment.state).toBe('away');
  }, 15_000);
});

describe('the token', () => {
  it('is asked for at each attempt, also when it could not be read before', async () => {
    const server = await serve();
    let attempt = 0;
    const { changes } = join(server.port, {
      token: () => {
        attempt++;
        if (attempt === 1) throw new Error('no such file');
        return `t${attempt}`;
      },
    });
    await until(() => of(server, 'report').length === 1);
    expect(server.tokens).toEqual(['Bearer t2']);
    expect(changes).toEqual(['away', 'attached']);
  });
});

it('takes no harm from a listener that throws', async () => {
  const server = await serve();
  const { attachment } = join(server.port, {
    onChange: () => {
      throw new Error('faulty log');
    },
  });
  await until(() => attachment.state === 'attached');
});
