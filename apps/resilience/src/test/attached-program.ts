import { readFile } from 'node:fs/promises';
import { attach } from '@starr/attach';
import { createPolicies, type PolicySnapshot } from '@starr/policies';

/** A process of an application, told by its parent what its policies go through. */
export interface ProgramOptions {
  readonly service: string;
  readonly instance: string;
  readonly address: string;
  readonly tokenFile: string;
}

export type ProgramOrder = 'open-breaker' | 'close-breaker' | 'fill-queue' | 'show' | 'stop';

export interface ProgramAnswer {
  readonly order: ProgramOrder;
  readonly state: string;
  readonly policies: readonly PolicySnapshot[];
}

const options = JSON.parse(process.argv[2] ?? '{}') as ProgramOptions;
const policies = createPolicies({ service: options.service });
const breaker = policies.breaker('payments', {
  guards: 'payments-api',
  opensOn: { kind: 'consecutive', failures: 2 },
  recoveryMs: 3_600_000,
  jitter: 'none',
});
const queue = policies.queue('mails', { maxWorkers: 1, maxSize: 5 });
const attachment = attach({
  policies,
  address: options.address,
  instance: options.instance,
  token: async () => (await readFile(options.tokenFile, 'utf8')).trim(),
  retryMs: { first: 50, longest: 300 },
});

process.on('message', (order: ProgramOrder) => {
  void obey(order).then(() => {
    const answer: ProgramAnswer = {
      order,
      state: attachment.state,
      policies: policies.snapshots(),
    };
    process.send?.(answer, () => {
      if (order === 'stop') process.disconnect();
    });
  });
});
// whoever started us is gone, even by kill -9
process.on('disconnect', () => {
  process.exit(0);
});

async function obey(order: ProgramOrder): Promise<void> {
  switch (order) {
    case 'open-breaker':
      for (let call = 0; call < 2; call++) {
        await breaker.run(() => Promise.reject(new Error('ill'))).catch(() => undefined);
      }
      return;
    case 'close-breaker':
      breaker.reset();
      return;
    case 'fill-queue':
      for (let work = 0; work < 6; work++) {
        queue.submit(() => new Promise(() => undefined)).catch(() => undefined);
      }
      return;
    case 'show':
      return;
    case 'stop':
      await attachment.stop();
  }
}
