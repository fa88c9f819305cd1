import { request } from 'node:http';
import type { Met } from './traffic-window.ts';

/** Nobody listens there any more: any balancer would take the next pod. */
const GONE = 'ECONNREFUSED';

export interface Checkout {
  readonly customerId: number;
  readonly amountCents: number;
}

/**
 * One user's checkout, on a connection of its own. It tries the next target when one refuses the
 * connection, as a service's balancer does, and never repeats what may have been begun. Never rejects.
 */
export async function sendCheckout(
  targets: readonly string[],
  checkout: Checkout,
  timeoutMs: number,
): Promise<Met> {
  const startedAtMs = performance.now();
  let reason = 'no target';
  for (const target of targets) {
    reason = await attempt(target, checkout, timeoutMs);
    if (reason !== GONE) break;
  }
  const tookMs = performance.now() - startedAtMs;
  return reason === 'ok' ? { kind: 'ok', tookMs } : { kind: 'failed', tookMs, reason };
}

/** Resolves to `ok` or to the reason of the failure. */
function attempt(target: string, checkout: Checkout, timeoutMs: number): Promise<string> {
  return new Promise((resolve) => {
    const body = JSON.stringify(checkout);
    const sent = request(
      `${target}/checkout`,
      {
        method: 'POST',
        agent: false,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
        signal: AbortSignal.timeout(timeoutMs),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', (error) => {
          resolve(reasonOf(error));
        });
        response.on('end', () => {
          const status = response.statusCode ?? 0;
          resolve(
            status < 300 ? 'ok' : `${status} ${errorIn(Buffer.concat(chunks).toString())}`.trim(),
          );
        });
      },
    );
    sent.on('error', (error) => {
      resolve(reasonOf(error));
    });
    sent.end(body);
  });
}

function reasonOf(error: Error): string {
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return 'timeout';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

function errorIn(body: string): string {
  try {
    const parsed = JSON.parse(body) as { error?: unknown };
    return typeof parsed.error === 'string' ? parsed.error : '';
  } catch {
    return '';
  }
}
