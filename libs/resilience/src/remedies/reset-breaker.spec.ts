import { describe, expect, it } from '@jest/globals';
import { blindSpot, type BlindSpot } from '@starr/kernel';
import type { AttachedProcess } from '../attached-process.ts';
import type { DependencyProbe } from '../request.ts';
import { breakerOf, lookOf, openBreaker, processOf, silent } from '../test/seen.ts';
import { resetBreaker } from './reset-breaker.ts';

const well: DependencyProbe[] = [
  { name: 'payments-api', outcome: { kind: 'answered', status: 200, answerMs: 3 } },
];

function plan(
  processes: readonly AttachedProcess[],
  probes: readonly DependencyProbe[] | BlindSpot = well,
  look = lookOf(),
) {
  return resetBreaker.plan({ breaker: 'checkout/payments' }, { processes, probes }, look);
}

function planned(...parameters: Parameters<typeof plan>) {
  const made = plan(...parameters);
  if ('refused' in made) throw new Error(made.refused);
  return made;
}

describe('resilience.reset-breaker', () => {
  it('plans one operation over the processes in which the breaker is not closed', () => {
    expect(
      planned([
        processOf('a', [openBreaker(1000, { epoch: 4 })]),
        processOf('b', [breakerOf()]),
        processOf('c', [openBreaker(1000, { state: 'half-open', epoch: 9 })]),
      ]),
    ).toEqual({
      operations: [
        {
          act: {
            kind: 'reset-breaker',
            service: 'checkout',
            breaker: 'payments',
            processes: [
              { instance: 'a', epoch: 4, state: 'open' },
              { instance: 'c', epoch: 9, state: 'half-open' },
            ],
          },
          says: 'close breaker payments in 2 of 3 processes of checkout: a, c',
          byHand:
            'restart one after the other: checkout/a (kill -TERM 7), checkout/c (kill -TERM 7)',
          reversible: false,
          onRefused: 'stop',
          onFailed: 'stop',
        },
      ],
      effect: {
        diagnostic: 'resilience.breakers',
        about: { kind: 'breaker', name: 'checkout/payments' },
        measurement: 'openProcesses',
        below: 1,
        settleMs: 2000,
        holdMs: 10_000,
        withinMs: 60_000,
        onMiss: 'ask',
      },
      touches: [
        { name: 'processes', about: { kind: 'breaker', name: 'checkout/payments' }, value: 2 },
      ],
      warnings: [],
    });
  });

  it('gives the command for pods where all processes run in pods', () => {
    const pod = (name: string) => ({ pod: { namespace: 'shop', name } });
    const processes = [
      processOf('a', [openBreaker()], pod('checkout-a')),
      processOf('b', [openBreaker()], pod('checkout-b')),
    ];
    expect(planned(processes).operations[0]?.byHand).toBe(
      'kubectl -n shop delete pod checkout-a checkout-b',
    );
  });

  it.each<[string, readonly DependencyProbe[] | BlindSpot, string]>([
    [
      'is down',
      [{ name: 'payments-api', outcome: { kind: 'failed', why: 'ECONNREFUSED', attempts: 2 } }],
      'payments-api does not answer now (ECONNREFUSED): the breaker will open again',
    ],
    [
      'fails',
      [{ name: 'payments-api', outcome: { kind: 'answered', status: 500, answerMs: 3 } }],
      'payments-api answers with status 500 now: the breaker will open again',
    ],
    [
      'is not configured',
      [],
      'whether payments-api answers is not known: it is not configured to be probed',
    ],
    [
      'could not be probed',
      blindSpot('timeout', 'late'),
      'whether payments-api answers could not be seen: late',
    ],
  ])('warns when the dependency %s', (_says, probes, warning) => {
    expect(planned([processOf('a', [openBreaker()])], probes).warnings).toEqual([warning]);
  });

  it('warns of processes that it does not reach', () => {
    const processes = [processOf('a', [openBreaker()]), silent('s')];
    expect(planned(processes, well, lookOf({ expect: { checkout: 3 } })).warnings).toEqual([
      'not reached: 2 of 3 expected processes of checkout are attached',
      'not reached: process checkout/s is attached but did not report within 700 ms',
    ]);
  });

  it('refuses what is closed and what nobody has', () => {
    expect(plan([processOf('a', [breakerOf()])])).toEqual({
      refused: 'breaker checkout/payments is closed in all 1 processes that report it',
    });
    expect(plan([processOf('a', [breakerOf({ name: 'stock' })])])).toEqual({
      refused: 'no attached process has a breaker "checkout/payments"; known: checkout/stock',
    });
    expect(plan([])).toEqual({
      refused: 'no attached process has a breaker "checkout/payments"; known: none',
    });
  });

  it.each([{}, { breaker: '' }, { breaker: 'a/b', force: true }, { breaker: 'x'.repeat(402) }])(
    'takes no other parameters: %j',
    (params) => {
      expect(resetBreaker.params.safeParse(params).success).toBe(false);
    },
  );
});
