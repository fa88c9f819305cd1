import { describe, expect, it } from '@jest/globals';
import type { Severity } from '@starr/kernel';
import type { Checkpoints } from '../reads/checkpoints.ts';
import { limitsOf } from '../test/limits-of.ts';
import { lookOf } from '../test/lab-target.ts';
import { checkpoints } from './checkpoints.ts';

const counters = (more: Partial<Checkpoints> = {}): Checkpoints => ({
  timed: 100,
  requested: 10,
  writeMs: 0,
  syncMs: 0,
  maxWalBytes: 1024 ** 3,
  timeoutMs: 300_000,
  walBytes: 0,
  ...more,
});
const judge = (after: Partial<Checkpoints>, elapsedMs = 60_000) =>
  checkpoints.judge(
    { checkpoints: { before: counters(), after: counters(after), elapsedMs } },
    limitsOf(checkpoints),
    lookOf(),
  );

describe('db.checkpoints', () => {
  it.each<[string, Partial<Checkpoints>, number, Severity | undefined]>([
    ['none', {}, 60_000, undefined],
    ['timed ones alone', { timed: 160 }, 60_000, undefined],
    ['a single one that somebody asked for', { requested: 11 }, 15_000, undefined],
    ['two in just more than two minutes', { requested: 12 }, 120_001, undefined],
    ['two in two minutes', { requested: 12 }, 120_000, 'warning'],
    ['just fewer than four a minute', { requested: 13 }, 45_001, 'warning'],
    ['four a minute', { requested: 14 }, 60_000, 'critical'],
    ['counters that were reset', { requested: 4 }, 60_000, 'critical'],
  ])('%s', (_, after, elapsedMs, severity) => {
    expect(judge(after, elapsedMs).findings?.map((each) => each.severity)).toEqual(
      severity === undefined ? [] : [severity],
    );
  });

  it('says what is too small for how much WAL', () => {
    expect(judge({ requested: 13, walBytes: 3 * 1024 ** 3 }).findings?.[0]?.says).toBe(
      '3 checkpoints were forced, 3.0 a minute: WAL reaches max_wal_size (1.0 GB) long before checkpoint_timeout, 3.0 GB a minute',
    );
  });

  it('measures WAL only where the server counts it', () => {
    const names = (more: Partial<Checkpoints>) => judge(more).measured.map(({ name }) => name);
    expect(names({})).toContain('walBytesPerMinute');
    const { walBytes: _, ...old } = counters();
    const verdict = checkpoints.judge(
      { checkpoints: { before: old, after: old, elapsedMs: 60_000 } },
      limitsOf(checkpoints),
      lookOf(),
    );
    expect(verdict.measured.map(({ name }) => name)).not.toContain('walBytesPerMinute');
  });

  it('without an earlier sample is partly blind', () => {
    expect(judge({ requested: 1000 }, 4999)).toMatchObject({
      findings: [],
      blind: [{ why: 'no-history' }],
    });
  });
});
