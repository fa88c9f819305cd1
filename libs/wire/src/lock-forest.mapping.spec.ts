import { describe, expect, it } from '@jest/globals';
import { blindSpot } from '@starr/kernel';
import { GetLockForestResponse } from './gen/starr/db/v1/db.ts';
import { lockForestFromProto, lockForestToProto } from './lock-forest.mapping.ts';
import type { LockForestView } from './lock-forest.ts';

const over = (answer: Parameters<typeof lockForestToProto>[0]) =>
  lockForestFromProto(
    GetLockForestResponse.decode(GetLockForestResponse.encode(lockForestToProto(answer)).finish()),
  );

const node = { depth: 0, blocks: 1, frees: 1, loses: 'nothing', blockedBy: [], pid: 0 };
const forest: LockForestView = {
  seenAt: new Date('2026-11-24T03:12:08.123Z'),
  truncated: true,
  nodes: [
    { ...node, who: { kind: 'prepared', gid: 't-1', owner: 'shop', database: 'shop', ms: 5250 } },
    { ...node, pid: 9, who: { kind: 'gone' } },
    {
      ...node,
      depth: 1,
      pid: 4711,
      blockedBy: [0, 9],
      who: {
        kind: 'session',
        backendStart: '2026-11-24T03:00:00.123456000Z',
        type: 'client backend',
        state: 'active',
        stateMs: 1500,
        application: 'checkout',
        address: '10.0.0.7',
        role: 'shop',
        database: 'shop',
        transactionMs: 1600,
        writes: true,
        xidAge: 4_000_000_000,
        statement: 'SELECT ?',
        holds: 'ExclusiveLock',
        wait: { ms: 1400, mode: 'ShareLock', target: 'row', table: 'public.orders' },
      },
    },
  ],
};

describe('a lock forest on the wire', () => {
  it('comes back as it went', () => {
    expect(over(forest)).toEqual(forest);
  });

  it('keeps what is absent absent', () => {
    const bare: LockForestView = {
      ...forest,
      nodes: [
        {
          ...node,
          who: {
            kind: 'session',
            backendStart: '',
            type: '',
            state: '',
            stateMs: 0,
            application: '',
            role: '',
            database: '',
            writes: false,
            statement: '',
            wait: { ms: 0, mode: '', target: 'other' },
          },
        },
      ],
    };
    expect(over(bare)).toEqual(bare);
    expect(over({ ...forest, nodes: [] })).toEqual({ ...forest, nodes: [] });
  });

  it('keeps blindness apart from nobody waiting', () => {
    const blind = blindSpot('redacted', 'hidden', 'GRANT pg_monitor TO starr;');
    expect(over(blind)).toEqual(blind);
  });

  it('reads an answer of another version as not seen', () => {
    expect(lockForestFromProto({ answer: undefined })).toMatchObject({
      kind: 'blind',
      why: 'unsupported',
    });
  });
});
