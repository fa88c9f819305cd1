import { describe, expect, it } from '@jest/globals';
import { parseConfig } from './config.ts';

const CHECKOUT = {
  SHOP_DATABASE_URL: 'postgresql://checkout@127.0.0.1/orders',
  SHOP_REDIS_URL: 'redis://127.0.0.1:6379',
  SHOP_PAYMENTS_URL: 'http://127.0.0.1:1',
  SHOP_WORKER_URL: 'http://127.0.0.1:2',
};

describe('the configuration of a process of the shop', () => {
  it('has a default for all but the addresses of others', () => {
    expect(parseConfig(['checkout'], CHECKOUT)).toEqual({
      kind: 'valid',
      value: {
        role: 'checkout',
        place: {
          host: '127.0.0.1',
          port: 0,
          instance: 'checkout',
          revision: '1',
          resilience: undefined,
          faults: [],
        },
        checkout: {
          databaseUrl: CHECKOUT.SHOP_DATABASE_URL,
          redisUrl: CHECKOUT.SHOP_REDIS_URL,
          paymentsUrl: CHECKOUT.SHOP_PAYMENTS_URL,
          workerUrl: CHECKOUT.SHOP_WORKER_URL,
          poolMax: 40,
        },
      },
    });
  });

  it('knows its pod', () => {
    const parsed = parseConfig(['payments'], {
      STARR_POD_IP: '127.0.102.7',
      HOSTNAME: 'payments-abc',
      POD_NAME: 'payments-abc',
      POD_NAMESPACE: 'shop',
      STARR_RESILIENCE_URL: 'http://127.0.0.1:7704/',
      STARR_TOKEN_FILE: '/run/token',
      FAULTS: 'errors:60',
    });
    expect(parsed).toMatchObject({
      kind: 'valid',
      value: {
        place: {
          host: '127.0.102.7',
          instance: 'payments-abc',
          faults: [{ name: 'errors', amount: 60 }],
          resilience: {
            address: '127.0.0.1:7704',
            tokenFile: '/run/token',
            pod: { name: 'payments-abc', namespace: 'shop', ip: '127.0.102.7' },
          },
        },
      },
    });
  });

  it('says everything that is wrong at once', () => {
    const parsed = parseConfig(['checkout'], {
      SHOP_PORT: '70000',
      SHOP_POOL_MAX: '0',
      SHOP_POOL_SIZE: '5',
      SHOP_REDIS_URL: '',
      STARR_POD_IP: '10.0.0.1',
      STARR_RESILIENCE_URL: 'somewhere',
      FAULTS: 'none',
    });
    expect(parsed.kind).toBe('invalid');
    const problems = parsed.kind === 'invalid' ? parsed.problems.join('\n') : '';
    for (const part of [
      'SHOP_PORT is "70000"; allowed are whole numbers from 0 to 65535',
      'SHOP_POOL_MAX is "0"; allowed are whole numbers from 1 to 10000',
      'SHOP_POOL_SIZE is not known here',
      'SHOP_DATABASE_URL must be set',
      'SHOP_REDIS_URL must be set',
      'SHOP_WORKER_URL must be set',
      'STARR_POD_IP is "10.0.0.1"',
      'STARR_RESILIENCE_URL is "somewhere"',
      'FAULTS: "none" is not a fault',
    ]) {
      expect(problems).toContain(part);
    }
  });

  it.each([[[]], [['till']], [['checkout', 'worker']]])('refuses the arguments %j', (args) => {
    expect(parseConfig(args, CHECKOUT)).toMatchObject({ kind: 'invalid' });
  });
});
