import { describe, expect, it } from '@jest/globals';
import { ConstantBackoff, handleAll, retry } from 'cockatiel';
import { Retry } from '../retry.ts';

const callers = 1000;
const attempts = 4;

async function loadOf(run: (act: () => Promise<never>) => Promise<unknown>): Promise<number> {
  let calls = 0;
  const act = () => {
    calls++;
    return Promise.reject(new Error('down'));
  };
  await Promise.allSettled(Array.from({ length: callers }, () => run(act)));
  return calls / callers;
}

describe('a dependency that fails for a thousand callers at once, each of which would try it four times', () => {
  it('cockatiel: gets four times the load under which it fails', async () => {
    const policy = retry(handleAll, {
      maxAttempts: attempts - 1,
      backoff: new ConstantBackoff(1),
    });
    await expect(loadOf((act) => policy.execute(act))).resolves.toBe(attempts);
  });

  it('here: gets at most so much more as the shared budget allows', async () => {
    // by twos, as the parts of a process do that share a dependency and not a retry
    const first = new Retry('orders', { maxAttempts: attempts, delayMs: 1 });
    const second = new Retry('bills', { maxAttempts: attempts, delayMs: 1, budget: first.budget });
    let number = 0;
    const load = await loadOf((act) => (number++ % 2 === 0 ? first : second).run(act));
    // a fifth of them may be retries at a time, and each of these may try three times
    expect(load).toBeGreaterThan(1.1);
    expect(load).toBeLessThanOrEqual(1 + 0.2 * (attempts - 1));
    expect(first.budget.snapshot().refused).toBeGreaterThan(0);
  });
});
