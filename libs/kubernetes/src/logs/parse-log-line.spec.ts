import { describe, expect, it } from '@jest/globals';
import { parseLogLine, type LogLevel } from './parse-log-line.ts';

const STAMP = '2026-11-24T03:05:40.123456789Z';

describe('a log line', () => {
  it.each<[string, LogLevel, string]>([
    ['{"level":"error","msg":"boom"}', 'error', 'boom'],
    ['{"level":"info","msg":"no error here"}', 'other', 'no error here'],
    ['{"level":50,"msg":"pino"}', 'error', 'pino'],
    ['{"level":40,"msg":"pino"}', 'warning', 'pino'],
    ['{"level":30,"msg":"Error: told as info"}', 'other', 'Error: told as info'],
    ['{"severity":"CRITICAL","message":"gcp"}', 'error', 'gcp'],
    ['{"log.level":"error","message":"ecs"}', 'error', 'ecs'],
    ['{"log":{"level":"warn"},"message":"nested"}', 'warning', 'nested'],
    ['{"message":"TypeError: x is not a function"}', 'error', 'TypeError: x is not a function'],
    [
      '{"level":"error","msg":"query failed","err":{"type":"Error","message":"timeout"}}',
      'error',
      'query failed: timeout',
    ],
    ['{"level":"error","msg":"failed: timeout","error":"timeout"}', 'error', 'failed: timeout'],
    ['{"level":"error","broken', 'error', '{"level":"error","broken'],
    ['level=error msg="no space left" err="disk full"', 'error', 'no space left: disk full'],
    ['ts=1 level=info msg="0 errors"', 'other', '0 errors'],
    [
      'E1124 03:04:05.678901 1 main.go:7] lost the lease',
      'error',
      'E1124 03:04:05.678901 1 main.go:7] lost the lease',
    ],
    [
      'I1124 03:04:05.678901 1 main.go:7] Error budget fine',
      'other',
      'I1124 03:04:05.678901 1 main.go:7] Error budget fine',
    ],
    ['2026-11-24 ERROR c.s.Shop - no stock', 'error', '2026-11-24 ERROR c.s.Shop - no stock'],
    [
      'Error: connect ECONNREFUSED 127.0.0.1:5432',
      'error',
      'Error: connect ECONNREFUSED 127.0.0.1:5432',
    ],
    ['java.lang.NullPointerException: x', 'error', 'java.lang.NullPointerException: x'],
    [
      '    at Object.<anonymous> (/app/TypeError.js:1:1)',
      'other',
      'at Object.<anonymous> (/app/TypeError.js:1:1)',
    ],
    ['compiled with 0 errors', 'other', 'compiled with 0 errors'],
    ['WARN slow', 'warning', 'WARN slow'],
    ['', 'other', ''],
  ])('%s is %s', (text, level, said) => {
    expect(parseLogLine(`${STAMP} ${text}`)).toMatchObject({
      level,
      text: said,
      at: new Date('2026-11-24T03:05:40.123Z'),
    });
  });

  it('keeps the trace that it belongs to and the type of its error', () => {
    const line =
      '{"level":"error","msg":"boom","trace_id":"4bf9","err":{"type":"PoolTimeout","message":"late"}}';
    expect(parseLogLine(`${STAMP} ${line}`)).toMatchObject({
      traceId: '4bf9',
      error: 'PoolTimeout',
    });
  });

  it.each([['no stamp at all'], ['2026-13-45T99:00:00Z absurd'], ['']])(
    'is none without a moment: %s',
    (line) => {
      expect(parseLogLine(line)).toBeUndefined();
    },
  );

  it('is bounded', () => {
    expect(parseLogLine(`${STAMP} ERROR ${'x'.repeat(100_000)}`)?.text).toHaveLength(2000);
  });
});
