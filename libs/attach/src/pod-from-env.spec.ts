import { expect, it } from '@jest/globals';
import { podFromEnv } from './pod-from-env.ts';

it.each([
  [{}, undefined],
  [{ POD_NAMESPACE: 'shop' }, undefined],
  [{ POD_NAME: 'checkout-x' }, { name: 'checkout-x' }],
  [{ STARR_POD_IP: '127.0.102.1' }, { ip: '127.0.102.1' }],
  [
    { POD_NAME: 'checkout-x', POD_NAMESPACE: 'shop', POD_IP: '10.0.0.7', STARR_POD_IP: '10.0.0.8' },
    { name: 'checkout-x', namespace: 'shop', ip: '10.0.0.7' },
  ],
])('reads the pod from %j', (env, pod) => {
  expect(podFromEnv(env)).toEqual(pod);
});
