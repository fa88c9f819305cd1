import { randomUUID } from 'node:crypto';
import type { PaymentsConfig } from '../config.ts';
import { fieldOf } from '../fault-routes.ts';
import { type Answer, BadRequest } from '../http-server.ts';
import type { RunningRole } from '../running-role.ts';

/**
 * The payment provider: outside the cluster, nobody's to repair. POST /health with
 * `{ "healthy": false }` makes it refuse every charge, `{ "latencyMs": 5000 }` makes it slow.
 */
export function composePayments(config: PaymentsConfig): RunningRole {
  let healthy = true;
  let { latencyMs } = config;
  let charged = 0;

  const charge = async (): Promise<Answer> => {
    await new Promise((resolve) => setTimeout(resolve, latencyMs));
    if (!healthy) return { status: 503, body: { error: 'out of order' } };
    charged += 1;
    return { status: 200, body: { paymentId: randomUUID() } };
  };

  const setHealth = (body: unknown): Answer => {
    const toHealthy = fieldOf(body, 'healthy') ?? healthy;
    const toLatencyMs = fieldOf(body, 'latencyMs') ?? latencyMs;
    if (typeof toHealthy !== 'boolean') throw new BadRequest('"healthy" must be true or false');
    if (typeof toLatencyMs !== 'number' || toLatencyMs < 0) {
      throw new BadRequest('"latencyMs" must be a number from 0 on');
    }
    healthy = toHealthy;
    latencyMs = toLatencyMs;
    return { status: 200, body: { healthy, latencyMs } };
  };

  return {
    routes: { 'POST /charge': charge, 'POST /health': setHealth },
    state: () => ({ healthy, latencyMs, charged }),
    healthy: () => healthy,
    stop: () => Promise.resolve(),
  };
}
