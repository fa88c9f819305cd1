import { createPolicies } from '@starr/policies';
import { attach } from '../attach.ts';

/** A short program that uses policies while no service is there, and does not think of stopping anything. */
const policies = createPolicies({ service: 'checkout' });
const breaker = policies.breaker('payments');
attach({ policies, address: `127.0.0.1:${process.argv[2] ?? '1'}` });
const answer = await breaker.run(
  () =>
    new Promise<string>((resolve) => {
      setTimeout(() => {
        resolve('done');
      }, 600);
    }),
);
process.stdout.write(answer);
