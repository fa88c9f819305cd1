import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { buildGoTools } from './go-tools.ts';
import { type LabJaeger, startJaeger } from './jaeger.ts';
import { isAlive } from './leash.ts';
import { waitUntil } from './wait-until.ts';

jest.setTimeout(60_000);

const tools = await buildGoTools('jaeger');
const onJaeger = tools.kind === 'present' ? describe : describe.skip;
const because = tools.kind === 'present' ? '' : ` (skipped: ${tools.why})`;

onJaeger(`Jaeger of the lab${because}`, () => {
  let jaeger: LabJaeger;
  beforeAll(async () => {
    jaeger = await startJaeger();
  });
  afterAll(() => (jaeger as LabJaeger | undefined)?.stop());

  const send = async (service: string): Promise<string> => {
    const traceId = randomBytes(16).toString('hex');
    const now = BigInt(Date.now()) * 1_000_000n;
    const span = {
      traceId,
      spanId: randomBytes(8).toString('hex'),
      name: 'GET /cart',
      kind: 2,
      startTimeUnixNano: String(now - 5_000_000n),
      endTimeUnixNano: String(now),
    };
    const answer = await fetch(`${jaeger.otlpHttpUrl}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        resourceSpans: [
          {
            resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
            scopeSpans: [{ spans: [span] }],
          },
        ],
      }),
    });
    expect(answer.status).toBe(200);
    return traceId;
  };
  const names = async (): Promise<string[]> => {
    const answer = await fetch(`${jaeger.queryUrl}/api/v3/services`);
    return ((await answer.json()) as { services?: string[] }).services ?? [];
  };

  it('takes a span and answers with its trace', async () => {
    const traceId = await send('checkout');
    const trace = await waitUntil(
      async () => {
        const answer = await fetch(`${jaeger.queryUrl}/api/v3/traces/${traceId}`);
        return answer.ok ? await answer.text() : undefined;
      },
      { what: 'the trace' },
    );
    expect(trace).toContain('GET /cart');
    expect(await names()).toContain('checkout');
  });

  it('answers nothing while it is paused', async () => {
    jaeger.pause();
    await expect(
      fetch(`${jaeger.queryUrl}/api/v3/services`, { signal: AbortSignal.timeout(300) }),
    ).rejects.toMatchObject({ name: 'TimeoutError' });
    jaeger.resume();
    expect(await names()).toContain('checkout');
  });

  it('is back on the same ports after a crash, with nothing remembered', async () => {
    const before = jaeger.pid;
    await jaeger.kill();
    expect(isAlive(before)).toBe(false);
    await jaeger.restart();
    expect(await names()).toEqual([]);
    await send('worker');
    await waitUntil(async () => (await names()).includes('worker') || undefined, {
      what: 'worker',
    });
  });
});
