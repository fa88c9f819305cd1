import { describe, expect, it } from '@jest/globals';
import { statusOf } from '@starr/kernel';
import type { AttachedProcess } from '../attached-process.ts';
import { breakerOf, limitsOf, lookOf, now, openBreaker, processOf, silent } from '../test/seen.ts';
import { breakers } from './breakers.ts';

const limits = limitsOf(breakers.thresholds);
const judge = (processes: readonly AttachedProcess[], look = lookOf()) =>
  breakers.judge({ processes }, limits, look);

const of = (open: number, closed: number, openForMs = 1000) => [
  ...Array.from({ length: open }, (_, index) => processOf(`o${index}`, [openBreaker(openForMs)])),
  ...Array.from({ length: closed }, (_, index) => processOf(`c${index}`, [breakerOf()])),
];

describe('resilience.breakers', () => {
  it.each<[string, readonly AttachedProcess[], string | undefined]>([
    ['closed everywhere', of(0, 3), undefined],
    ['open in one of three', of(1, 2), 'warning'],
    ['open in half', of(2, 2), 'critical'],
    ['open just under half', of(2, 3), 'warning'],
    ['open in one of three just short of a minute', of(1, 2, 59_999), 'warning'],
    ['open in one of three for a minute', of(1, 2, 60_000), 'critical'],
    ['open in the only one', of(1, 0), 'critical'],
    [
      'half-open after an opening',
      [...of(0, 2), processOf('h', [openBreaker(1000, { state: 'half-open' })])],
      'warning',
    ],
    ['no breaker at all', [processOf('a', [])], undefined],
  ])('judges one that is %s', (_says, processes, severity) => {
    const verdict = judge(processes);
    expect(verdict.findings?.[0]?.severity).toBe(severity);
    expect(statusOf(verdict)).toBe(severity === undefined ? 'healthy' : 'found');
  });

  it('measures each breaker, healthy or not, over the processes that have it', () => {
    const about = { kind: 'breaker', name: 'checkout/payments' };
    expect(judge(of(1, 3, 2000)).measured).toEqual([
      { name: 'attachedProcesses', about: { kind: 'service', name: 'checkout' }, value: 4 },
      { name: 'openProcesses', about, value: 1, limit: 1 },
      { name: 'openRatio', about, value: 0.25, limit: 0.5 },
      { name: 'notClosedForMs', about, value: 2000, limit: 60_000 },
      { name: 'rejectedCalls', about, value: 3 },
    ]);
    expect(judge(of(0, 1)).measured).toContainEqual({
      name: 'openProcesses',
      about,
      value: 0,
      limit: 1,
    });
  });

  it('says where it points: most processes at the dependency, one of many at itself', () => {
    expect(judge(of(3, 0)).findings?.[0]?.says).toBe(
      'breaker checkout/payments to payments-api is not closed in 3 of 3 processes of checkout for 1.0 s; that points at payments-api',
    );
    expect(judge(of(1, 39)).findings?.[0]?.says).toContain(
      '1 of 40 processes of checkout for 1.0 s; that points at the process, not at payments-api',
    );
    expect(judge(of(1, 0)).findings?.[0]?.says).not.toContain('points');
  });

  it('says that nobody calls one whose probe is due', () => {
    const idle = openBreaker(600_000, { timeUntilRetryMs: 0, rejectedInState: 0 });
    expect(judge([processOf('a', [idle])]).findings?.[0]?.says).toContain(
      'its probe is due, but nobody calls',
    );
    const called = { ...idle, rejectedInState: 1 };
    expect(judge([processOf('a', [called])]).findings?.[0]?.says).not.toContain('nobody calls');
  });

  it('dates it by the first opening, names what is involved and shows the processes', () => {
    const failing = openBreaker(90_000, { lastFailure: { name: 'ECONNREFUSED' } });
    const [finding] =
      judge([
        processOf('a', [failing], { pod: { name: 'checkout-x' } }),
        processOf('b', [breakerOf()]),
      ]).findings ?? [];
    expect(finding?.since).toEqual(new Date(now.getTime() - 90_000));
    expect(finding?.involves).toEqual([
      { kind: 'dependency', name: 'payments-api' },
      { kind: 'process', name: 'checkout/a' },
    ]);
    expect(finding?.rows).toEqual([
      {
        process: 'a',
        pod: 'checkout-x',
        state: 'open',
        notClosedFor: { durationMs: 90_000 },
        timeUntilRetry: { durationMs: 500 },
        windowCalls: 10,
        windowFailures: 9,
        rejected: 3,
        lastFailure: 'ECONNREFUSED',
      },
    ]);
  });

  it('does not call one stuck that a person forced open, and says who did it and until when', () => {
    const override = { kind: 'force-open', by: 'anna', reason: 'charges twice', since: now };
    const forced = openBreaker(600_000, { override: { ...override, leaseLeftMs: 60_000 } });
    const verdict = judge([processOf('a', [forced]), processOf('b', [breakerOf()])]);
    expect(verdict.findings).toEqual([]);
    expect(verdict.changes).toEqual([
      {
        about: { kind: 'breaker', name: 'checkout/payments' },
        at: now,
        says: expect.stringMatching(
          /^breaker checkout\/payments is forced open in 1 of 2 processes of checkout by anna for .+ more: charges twice$/,
        ),
      },
    ]);
    const held = { ...forced, override: { ...override, kind: 'hold-closed', leaseLeftMs: 1 } };
    expect(judge([processOf('a', [held])]).findings).toHaveLength(1);
  });

  it('keeps breakers of one name apart by their service', () => {
    const verdict = judge([
      processOf('a', [openBreaker()]),
      processOf('b', [breakerOf()], { service: 'users' }),
    ]);
    expect(verdict.findings?.map(({ about }) => about.name)).toEqual(['checkout/payments']);
    expect(verdict.findings?.[0]?.says).toContain('1 of 1 processes of checkout');
  });

  it('shows ten processes at most, and counts all', () => {
    const [finding] = judge(of(25, 0)).findings ?? [];
    expect(finding?.rows).toHaveLength(10);
    expect(finding?.measured).toContainEqual(
      expect.objectContaining({ name: 'openProcesses', value: 25 }),
    );
  });
});

describe('what cannot be seen of the processes', () => {
  it.each<[string, readonly AttachedProcess[], Record<string, number>, string[]]>([
    ['all are there', of(0, 2), { checkout: 2 }, []],
    ['more than expected', of(0, 3), { checkout: 2 }, []],
    [
      'one is missing',
      of(0, 1),
      { checkout: 2 },
      ['1 of 2 expected processes of checkout are attached'],
    ],
    [
      'a whole service is missing',
      of(0, 1),
      { users: 1 },
      ['0 of 1 expected processes of users are attached'],
    ],
    ['nobody is there and nobody expected', [], {}, ['no process is attached']],
    [
      'one is silent',
      [...of(0, 1), silent('s')],
      { checkout: 2 },
      ['process checkout/s is attached but did not report within 700 ms'],
    ],
    [
      'one has policies of another version',
      [processOf('a', [], { answer: { kind: 'reported', policies: [], unreadable: 2 } })],
      {},
      ['2 policies of process checkout/a are of a kind that this version does not know'],
    ],
  ])('is told when %s', (_says, processes, expect_, details) => {
    const { blind = [] } = judge(processes, lookOf({ expect: expect_ }));
    expect(blind.map(({ detail }) => detail)).toEqual(details);
    expect(blind.every(({ cure }) => cure !== undefined)).toBe(true);
  });

  it('is blind, not healthy, when nobody is attached', () => {
    expect(statusOf(judge([]))).toBe('blind');
  });
});
