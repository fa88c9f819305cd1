import { expect, it } from '@jest/globals';
import type { PolicySnapshot } from '@starr/policies';
import { checkIdentity, checkReport } from './check-message.ts';

const long = 'x'.repeat(201);
const longest = 'x'.repeat(200);

it.each([
  [{}, undefined],
  [{ service: longest, instance: longest, version: longest }, undefined],
  [{ service: '' }, 'service is empty; allowed: 1 to 200 characters'],
  [{ instance: '' }, 'instance is empty; allowed: 1 to 200 characters'],
  [{ service: long }, 'service is longer than 200 characters'],
  [{ version: long }, 'version is longer than 200 characters'],
  [{ pod: { ip: long } }, 'pod.ip is longer than 200 characters'],
])('checks who a process says it is: %j', (more, wrong) => {
  expect(checkIdentity({ service: 'checkout', instance: 'a', pid: 1, ...more })).toBe(wrong);
});

it('checks what a process reports', () => {
  const queue = (name: string): PolicySnapshot => ({
    kind: 'queue',
    name,
    size: 0,
    maxSize: 0,
    activeWorkers: 0,
    maxWorkers: 1,
    processed: 0,
    failed: 0,
    timedOut: 0,
    rejected: 0,
    oldestWaitMs: 0,
  });
  const report = (policies: PolicySnapshot[]) => ({
    takenAt: new Date(0),
    policies,
    unreadable: 0,
  });
  const many = (count: number) => Array.from({ length: count }, () => queue('q'));
  expect(checkReport(report(many(1000)))).toBeUndefined();
  expect(checkReport(report(many(1001)))).toContain('1001 policies');
  expect(checkReport(report([queue(longest)]))).toBeUndefined();
  expect(checkReport(report([queue(long)]))).toContain('longer than 200');
});
