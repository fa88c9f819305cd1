import { describe, expect, it } from '@jest/globals';
import { createLog } from './log.ts';

function lines(minimum?: 'debug' | 'error') {
  const written: string[] = [];
  const log = createLog('spec', minimum, (line) => void written.push(line));
  return { log, read: () => written.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('the log', () => {
  it('writes one JSON line an event', () => {
    const { log, read } = lines();
    log.log('warn', 'slow', { tookMs: 12 });
    expect(read()).toMatchObject([{ level: 'warn', service: 'spec', msg: 'slow', tookMs: 12 }]);
  });

  it('masks secrets in the message and in fields', () => {
    const { log, read } = lines();
    log.log('error', 'login with password=hunter2 failed', { url: 'postgres://u:hunter2@h/d' });
    expect(JSON.stringify(read())).not.toContain('hunter2');
  });

  it('leaves out what is below its level', () => {
    const { log, read } = lines('error');
    log.log('warn', 'x');
    log.log('error', 'y');
    expect(read().map(({ msg }) => msg)).toEqual(['y']);
  });
});
