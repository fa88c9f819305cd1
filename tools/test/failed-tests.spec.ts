import { describe, expect, it } from '@jest/globals';
import { failedTests } from './failed-tests.ts';

const passed = { fullName: 'a wheel turns', status: 'passed', failureMessages: [] };

describe('the list of failed tests', () => {
  it('is empty when everything passed', () => {
    const suite = { name: '/house/libs/a.spec.ts', message: '', assertionResults: [passed] };
    expect(failedTests([suite], '/house')).toEqual([]);
  });

  it('names file and test, and begins with the message, without colours and the runner’s own frames', () => {
    const failed = {
      fullName: 'a wheel stops',
      status: 'failed',
      failureMessages: [
        '\u001B[31mexpected 1\u001B[39m\n\n  at wheel (libs/a.ts:1:1)\n  at run (node_modules/jest/x.js:1:1)',
      ],
    };
    const suite = {
      name: '/house/libs/a.spec.ts',
      message: 'whole report',
      assertionResults: [passed, failed],
    };
    expect(failedTests([suite], '/house')).toEqual([
      'FAILED  libs/a.spec.ts: a wheel stops',
      '        expected 1',
      '          at wheel (libs/a.ts:1:1)',
    ]);
  });

  it('shows a suite that could not run with its own message, cut when it is long', () => {
    const message = Array.from({ length: 13 }, (_, line) => `line ${line}`).join('\n');
    const suite = { name: '/house/libs/a.spec.ts', message, assertionResults: [] };
    const lines = failedTests([suite], '/house');
    expect(lines).toHaveLength(14);
    expect(lines[0]).toBe('FAILED  libs/a.spec.ts');
    expect(lines.at(-1)).toBe('        …');
  });
});
