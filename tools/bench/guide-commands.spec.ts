import { describe, expect, it } from '@jest/globals';
import { guideCommands, WITHOUT_COMMAND, type GuideAddresses } from './guide-commands.ts';

const at: GuideAddresses = {
  postgres: { host: '127.0.0.1', port: 5432, user: 'person', database: 'orders' },
  redis: { host: '127.0.0.1', port: 6379, user: 'starr', password: 'only-here' },
  kubeconfig: '/tmp/kubeconfig',
  kubeCacheFolder: '/tmp/kube-cache',
  namespace: 'shop',
  deployments: ['checkout', 'worker'],
  dependencyUrl: 'http://127.0.0.1:7000/healthz',
  jaegerUrl: 'http://127.0.0.1:16686',
};

describe('the commands of the guide', () => {
  it('stand for checks that have a command, and for no other', () => {
    const checks = new Set(guideCommands(at).map(({ check }) => check));
    expect([...checks].filter((check) => check in WITHOUT_COMMAND)).toEqual([]);
    expect(checks.size).toBe(11);
  });

  it('ask nothing twice', () => {
    const lines = guideCommands(at).map(({ program, args }) => [program, ...args].join(' '));
    expect(new Set(lines).size).toBe(lines.length);
  });

  it('carry no password in their words', () => {
    const words = guideCommands(at).flatMap(({ args }) => args);
    expect(words.join(' ')).not.toContain('only-here');
  });

  it('leave the traces out where there is no Jaeger', () => {
    const checks = guideCommands({ ...at, jaegerUrl: undefined }).map(({ check }) => check);
    expect(checks).not.toContain('traces.error-rate');
  });
});
