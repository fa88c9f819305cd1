import { PolicyError, createPolicies } from '@starr/policies';
import type { Pool } from 'pg';
import type { WorkerConfig } from '../config.ts';
import { createPool } from '../create-pool.ts';
import { fieldOf } from '../fault-routes.ts';
import type { FaultSwitch } from '../faults.ts';
import { type Answer, BadRequest } from '../http-server.ts';
import { type Log, errorFields } from '../log.ts';
import type { RunningRole } from '../running-role.ts';

/** Takes jobs into a bounded queue in memory and answers before they are done. */
export function composeWorker(config: WorkerConfig, faults: FaultSwitch, log: Log): RunningRole {
  const policies = createPolicies({ service: 'worker' });
  const pool = createPool(config, 'worker', log);
  policies.watchPool('orders', pool);
  const queue = policies.queue('jobs', { maxWorkers: config.workers, maxSize: config.queueMax });

  const takeJob = async (body: unknown): Promise<Answer> => {
    const orderId = parseJob(body);
    const done = queue.submit(() => writeReceipt(pool, orderId, faults));
    let answer: Answer = { status: 202, body: { queued: true } };
    done.catch((error: unknown) => {
      if (error instanceof PolicyError) answer = { status: 429, body: { error: error.code } };
      else log.error('job failed', { ...errorFields(error), order_id: orderId });
    });
    await nextTurn(); // a full queue refuses at once
    return answer;
  };

  return {
    policies,
    routes: { 'POST /jobs': takeJob },
    async stop() {
      await queue.stop();
      await pool.end();
    },
  };
}

async function writeReceipt(pool: Pool, orderId: number, faults: FaultSwitch): Promise<void> {
  const slowMs = faults.amount('slow-jobs');
  if (slowMs !== undefined) await new Promise((resolve) => setTimeout(resolve, slowMs));
  await pool.query('INSERT INTO receipts (order_id) VALUES ($1) ON CONFLICT DO NOTHING', [orderId]);
}

function parseJob(body: unknown): number {
  const orderId = fieldOf(body, 'orderId');
  if (fieldOf(body, 'kind') !== 'receipt') throw new BadRequest('"kind" must be "receipt"');
  if (typeof orderId !== 'number' || !Number.isSafeInteger(orderId)) {
    throw new BadRequest('"orderId" must be a whole number');
  }
  return orderId;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
