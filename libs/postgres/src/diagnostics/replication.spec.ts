import { describe, expect, it } from '@jest/globals';
import type { Severity } from '@starr/kernel';
import type { Replication, ReplicationSlot, Standby } from '../reads/replication.ts';
import { limitsOf } from '../test/limits-of.ts';
import { lookOf } from '../test/lab-target.ts';
import { replication } from './replication.ts';

const MB = 1024 ** 2;
const GB = 1024 ** 3;

const slot = (more: Partial<ReplicationSlot> = {}): ReplicationSlot => ({
  name: 'cdc',
  kind: 'logical',
  database: 'shop',
  active: false,
  walStatus: 'reserved',
  retainedBytes: MB,
  pid: 0,
  ...more,
});
const standby = (more: Partial<Standby> = {}): Standby => ({
  application: 'replica-1',
  address: '127.0.9.1',
  state: 'streaming',
  lagBytes: 0,
  lagMs: 0,
  sync: 'async',
  ...more,
});

function judge(
  after: Partial<Replication>,
  before: Partial<Replication> = after,
  elapsedMs = 60_000,
) {
  const none: Replication = {
    slots: [],
    standbys: [],
    isStandby: false,
    replayLagMs: 0,
    commitsWaitFor: '',
  };
  return replication.judge(
    {
      replication: {
        before: { ...none, ...before },
        after: { ...none, ...after },
        elapsedMs,
      },
    },
    limitsOf(replication),
    lookOf(),
  );
}

describe('db.replication', () => {
  it.each<[string, Partial<Replication>, Severity | undefined]>([
    ['no slot and no standby', {}, undefined],
    ['an inactive slot that costs nothing', { slots: [slot()] }, undefined],
    ['a slot just below 1 GB', { slots: [slot({ retainedBytes: GB - 1 })] }, undefined],
    ['a slot that keeps 1 GB', { slots: [slot({ retainedBytes: GB })] }, 'warning'],
    ['an active one too', { slots: [slot({ active: true, retainedBytes: GB })] }, 'warning'],
    ['just below 10 GB', { slots: [slot({ retainedBytes: 10 * GB - 1 })] }, 'warning'],
    ['10 GB', { slots: [slot({ retainedBytes: 10 * GB })] }, 'critical'],
    ['extended', { slots: [slot({ walStatus: 'extended' })] }, undefined],
    ['unreserved', { slots: [slot({ walStatus: 'unreserved' })] }, 'critical'],
    ['lost', { slots: [slot({ walStatus: 'lost', retainedBytes: 0 })] }, 'critical'],
    ['a standby in time', { standbys: [standby()] }, undefined],
    ['late by time alone', { standbys: [standby({ lagMs: 90_000 })] }, undefined],
    ['by bytes alone', { standbys: [standby({ lagBytes: 100 * MB, lagMs: 29_999 })] }, undefined],
    [
      'just below the bytes',
      { standbys: [standby({ lagBytes: 100 * MB - 1, lagMs: 30_000 })] },
      undefined,
    ],
    ['by both', { standbys: [standby({ lagBytes: 100 * MB, lagMs: 30_000 })] }, 'warning'],
    [
      'just below 1 GB behind',
      { standbys: [standby({ lagBytes: GB - 1, lagMs: 30_000 })] },
      'warning',
    ],
    ['1 GB behind', { standbys: [standby({ lagBytes: GB })] }, 'critical'],
    ['a standby itself, in time', { isStandby: true, replayLagMs: 29_999 }, undefined],
    ['a standby itself, late', { isStandby: true, replayLagMs: 30_000 }, 'warning'],
  ])('%s', (_, given, severity) => {
    expect(judge(given).findings?.map((each) => each.severity)).toEqual(
      severity === undefined ? [] : [severity],
    );
  });

  it.each<[Partial<ReplicationSlot>, string]>([
    [
      { inactiveMs: 3_600_000 },
      'the inactive logical replication slot cdc, read by nobody for 60 min, keeps 10 GB of WAL, without a limit: it fills the disk',
    ],
    [{ safeBytes: 5 * GB }, 'and is lost after 5.0 GB more'],
    [{ walStatus: 'unreserved' }, 'and is lost at the next checkpoint'],
    [{ walStatus: 'lost' }, 'is lost: its reader must be built anew'],
    [{ active: true }, 'the logical replication slot cdc keeps'],
  ])('says what becomes of the slot: %j', (more, says) => {
    const [finding] = judge({ slots: [slot({ retainedBytes: 10 * GB, ...more })] }).findings!;
    expect(finding?.says).toContain(says);
  });

  it('says how fast it grows, and since when nobody reads it', () => {
    const [finding] = judge(
      { slots: [slot({ retainedBytes: 2 * GB, inactiveMs: 60_000 })] },
      { slots: [slot({ retainedBytes: GB })] },
    ).findings!;
    expect(finding?.says).toContain(', 1.0 GB more a minute');
    expect(finding?.since).toEqual(new Date(lookOf().now.getTime() - 60_000));
    expect(finding?.measured[1]).toMatchObject({ name: 'retainedBytesPerMinute', value: GB });
  });

  it('of two samples that are too close knows no growth', () => {
    const [now, then] = [
      { slots: [slot({ retainedBytes: 2 * GB })] },
      { slots: [slot({ retainedBytes: GB })] },
    ];
    expect(judge(now, then, 4999).findings?.[0]?.says).not.toContain('more a minute');
    expect(judge(now, then, 5000).findings?.[0]?.says).toContain('12 GB more a minute');
  });

  it('measures what it sees, and zero where there is nothing', () => {
    expect(judge({}).measured.map(({ value }) => value)).toEqual([0, 0, 0, 0, 0]);
    const names = judge({ slots: [slot()], standbys: [standby({ lagBytes: 5 })] }).measured;
    expect(names.map(({ value }) => value)).toEqual([1, MB, 0, 5, 0]);
  });

  it('commits that wait for a standby that is not there are critical, once it lasts', () => {
    const lonely = { commitsWaitFor: '*' };
    expect(judge(lonely).findings).toMatchObject([
      {
        severity: 'critical',
        says: 'commits wait for a synchronous standby (*), and none is connected',
      },
    ]);
    expect(judge(lonely, {}).findings).toEqual([]);
    expect(judge({ ...lonely, standbys: [standby()] }).findings).toHaveLength(1);
    expect(judge({ ...lonely, standbys: [standby({ sync: 'quorum' })] }).findings).toEqual([]);
  });

  it('says that commits wait for a synchronous standby', () => {
    const [finding] = judge({ standbys: [standby({ lagBytes: GB, sync: 'sync' })] }).findings!;
    expect(finding?.says).toContain('; commits wait for it');
    expect(finding?.involves).toEqual([
      { kind: 'client', name: 'replica-1@127.0.9.1', scope: 'orders' },
    ]);
  });
});
