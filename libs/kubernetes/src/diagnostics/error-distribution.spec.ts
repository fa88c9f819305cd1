import { describe, expect, it } from '@jest/globals';
import { blindSpot, statusOf, textOfValue, type Severity } from '@starr/kernel';
import type { LogLine } from '../logs/parse-log-line.ts';
import type { LogStream } from '../reads/logs.ts';
import {
  cluster,
  limitsOf,
  listed,
  lookAt,
  NOW,
  pod,
  replicaSet,
  WINDOW_MS,
} from '../test/make-objects.ts';
import { errorDistribution } from './error-distribution.ts';

const MINUTE = 60_000;
const at = (agoMs: number) => NOW.getTime() - agoMs;

interface StreamParts {
  /** Errors: one a period, from so long ago until so long ago. */
  readonly errors?: {
    readonly text?: string;
    readonly everyMs: number;
    readonly fromMs: number;
    readonly untilMs?: number;
  }[];
  readonly pod?: string;
  readonly set?: string;
  readonly coveredMs?: number;
  readonly untilMs?: number;
  readonly fromStart?: boolean;
  readonly remembered?: boolean;
  readonly lineCount?: number;
}

function stream(parts: StreamParts = {}): LogStream {
  const {
    pod: name = 'checkout-2-a',
    set = 'checkout-2',
    coveredMs = 60 * MINUTE,
    untilMs = 0,
  } = parts;
  const errors = (parts.errors ?? []).flatMap(
    ({ text = 'timeout acquiring client', everyMs, fromMs, untilMs: until = 0 }) =>
      Array.from({ length: Math.floor((fromMs - until) / everyMs) }, (_, n): LogLine => ({
        at: new Date(at(fromMs - n * everyMs - ((n * 37) % 100) * (everyMs / 300))),
        level: 'error',
        text: `${text} ${n}`,
      })),
  );
  return {
    namespace: 'shop',
    pod: name,
    container: 'app',
    replicaSet: set,
    previous: false,
    remembered: parts.remembered ?? false,
    covered: { from: at(coveredMs), to: at(untilMs) },
    fromStart: parts.fromStart ?? false,
    lineCount: parts.lineCount ?? errors.length,
    errors,
  };
}

/** Revision 1 alone, for days. */
const OLD = cluster({ sets: [replicaSet({ revision: 2, createdMs: 6 * 86_400_000 })] });
/** Revision 2 since seven minutes. */
const ROLLED = cluster();

function judge(streams: readonly LogStream[], workloads = OLD) {
  return errorDistribution.judge(
    { workloads, logs: { streams, blind: [] } },
    limitsOf(errorDistribution.thresholds),
    lookAt(),
  );
}

describe('k8s.error-distribution', () => {
  it.each<[string, readonly LogStream[], Severity | undefined, string | undefined]>([
    ['no error', [stream()], undefined, undefined],
    [
      'loud old errors at their old rate',
      [stream({ errors: [{ everyMs: 500, fromMs: 60 * MINUTE }] })],
      undefined,
      undefined,
    ],
    [
      'loud errors since the pods started, without a rollout',
      [stream({ coveredMs: 100_000, fromStart: true, errors: [{ everyMs: 500, fromMs: 90_000 }] })],
      undefined,
      undefined,
    ],
    [
      'new since five minutes',
      [stream({ errors: [{ everyMs: 500, fromMs: 5 * MINUTE }] })],
      'critical',
      'new',
    ],
    [
      'new, but four lines',
      [stream({ errors: [{ everyMs: 1000, fromMs: 4000 }] })],
      undefined,
      undefined,
    ],
    [
      'new, five lines',
      [stream({ lineCount: 1000, errors: [{ everyMs: 1000, fromMs: 5000 }] })],
      'warning',
      'new',
    ],
    [
      'new, and ended three minutes ago',
      [stream({ errors: [{ everyMs: 500, fromMs: 10 * MINUTE, untilMs: 3 * MINUTE }] })],
      undefined,
      undefined,
    ],
    [
      'new, fewer than thirty a minute',
      [stream({ errors: [{ everyMs: 2500, fromMs: 5 * MINUTE }] })],
      'warning',
      'new',
    ],
    [
      'new and many, but few of all lines',
      [stream({ lineCount: 100_000, errors: [{ everyMs: 500, fromMs: 5 * MINUTE }] })],
      'warning',
      'new',
    ],
    [
      'ten times as often since five minutes',
      [
        stream({
          errors: [
            { everyMs: 10_000, fromMs: 60 * MINUTE },
            { everyMs: 1000, fromMs: 5 * MINUTE },
          ],
        }),
      ],
      'critical',
      'rising',
    ],
    [
      'twice as often',
      [
        stream({
          errors: [
            { everyMs: 2000, fromMs: 60 * MINUTE },
            { everyMs: 2000, fromMs: 5 * MINUTE },
          ],
        }),
      ],
      undefined,
      undefined,
    ],
    [
      'rose before the window',
      [stream({ errors: [{ everyMs: 500, fromMs: 45 * MINUTE }] })],
      undefined,
      undefined,
    ],
  ])('%s', (_what, streams, severity, trend) => {
    const verdict = judge(streams);
    expect([verdict.findings?.[0]?.severity, verdict.findings?.[0]?.rows?.[0]?.['trend']]).toEqual([
      severity,
      trend,
    ]);
    expect(verdict.measured.map(({ name }) => name)).toContain('errorsPerMinute');
  });

  it.each<[string, readonly LogStream[], string | undefined]>([
    [
      'since the first line of a new revision, nothing older left',
      [
        stream({
          coveredMs: 7 * MINUTE,
          fromStart: true,
          errors: [{ everyMs: 1000, fromMs: 415_000 }],
        }),
      ],
      'since-rollout',
    ],
    [
      'the same, nine a minute',
      [
        stream({
          coveredMs: 7 * MINUTE,
          fromStart: true,
          errors: [{ everyMs: 6700, fromMs: 415_000 }],
        }),
      ],
      undefined,
    ],
    [
      'within the warm-up of both, none with the revision before',
      [
        stream({
          coveredMs: 90_000,
          fromStart: true,
          errors: [{ everyMs: 300, fromMs: 70_000 }],
        }),
        stream({
          pod: 'checkout-1-a',
          set: 'checkout-1',
          remembered: true,
          fromStart: true,
          coveredMs: 125_000,
          untilMs: 90_000,
        }),
      ],
      'new',
    ],
    [
      'five seconds of it at the end of the first twenty',
      [
        stream({
          coveredMs: 18_000,
          fromStart: true,
          errors: [{ everyMs: 150, fromMs: 5000 }],
        }),
        stream({
          pod: 'checkout-1-a',
          set: 'checkout-1',
          remembered: true,
          fromStart: true,
          coveredMs: 70_000,
          untilMs: 20_000,
        }),
      ],
      'new',
    ],
    [
      'the same, but the revision before was seen for less than half a minute',
      [
        stream({
          coveredMs: 90_000,
          fromStart: true,
          errors: [{ everyMs: 300, fromMs: 70_000 }],
        }),
        stream({
          pod: 'checkout-1-a',
          set: 'checkout-1',
          remembered: true,
          fromStart: true,
          coveredMs: 119_000,
          untilMs: 90_000,
        }),
      ],
      'since-rollout',
    ],
    [
      'five lines of them in the few seconds that were seen of the revision before',
      [
        stream({
          coveredMs: 90_000,
          fromStart: true,
          errors: [{ everyMs: 300, fromMs: 85_000 }],
        }),
        stream({
          pod: 'checkout-1-a',
          set: 'checkout-1',
          remembered: true,
          fromStart: true,
          coveredMs: 100_000,
          untilMs: 90_000,
          errors: [{ everyMs: 300, fromMs: 91_500, untilMs: 90_000 }],
        }),
      ],
      undefined,
    ],
    [
      'four lines of them there',
      [
        stream({
          coveredMs: 90_000,
          fromStart: true,
          errors: [{ everyMs: 300, fromMs: 85_000 }],
        }),
        stream({
          pod: 'checkout-1-a',
          set: 'checkout-1',
          remembered: true,
          fromStart: true,
          coveredMs: 100_000,
          untilMs: 90_000,
          errors: [{ everyMs: 300, fromMs: 91_200, untilMs: 90_000 }],
        }),
      ],
      'since-rollout',
    ],
    [
      'the same errors remembered of the revision before',
      [
        stream({
          coveredMs: 7 * MINUTE,
          fromStart: true,
          errors: [{ everyMs: 1000, fromMs: 415_000 }],
        }),
        stream({
          pod: 'checkout-1-a',
          set: 'checkout-1',
          remembered: true,
          coveredMs: 20 * MINUTE,
          untilMs: 7 * MINUTE,
          errors: [{ everyMs: 1000, fromMs: 20 * MINUTE, untilMs: 7 * MINUTE }],
        }),
      ],
      undefined,
    ],
    [
      'no such error remembered of the revision before',
      [
        stream({
          coveredMs: 7 * MINUTE,
          fromStart: true,
          errors: [{ everyMs: 1000, fromMs: 415_000 }],
        }),
        stream({
          pod: 'checkout-1-a',
          set: 'checkout-1',
          remembered: true,
          coveredMs: 20 * MINUTE,
          untilMs: 7 * MINUTE,
        }),
      ],
      'new',
    ],
  ])('after a rollout: %s', (_what, streams, trend) => {
    expect(judge(streams, ROLLED).findings?.[0]?.rows?.[0]?.['trend']).toBe(trend);
  });

  it('tells template, count, onset, pods and revisions, and involves them', () => {
    const errors = [{ everyMs: 500, fromMs: 5 * MINUTE }];
    const verdict = judge([stream({ errors }), stream({ pod: 'checkout-2-b', errors })]);
    const [finding] = verdict.findings ?? [];
    expect(finding).toMatchObject({
      about: { kind: 'deployment', name: 'shop/checkout', scope: 'prod' },
      says: 'shop/checkout logs "timeout acquiring client <*>" ×1200, new since 03:07:00, on 2 of 2 pods, revision 2',
      since: new Date(at(5 * MINUTE)),
      rows: [
        {
          template: 'timeout acquiring client <*>',
          count: 1200,
          pods: 2,
          perRevision: '2: 1200',
          sample: 'timeout acquiring client 599',
        },
      ],
      involves: [
        { kind: 'revision', name: 'shop/checkout#2' },
        { kind: 'pod', name: 'shop/checkout-2-a' },
        { kind: 'pod', name: 'shop/checkout-2-b' },
      ],
    });
  });

  it('names the old errors after the new ones, as what they are', () => {
    const errors = [
      { text: 'old trouble with x', everyMs: 700, fromMs: 60 * MINUTE },
      { everyMs: 500, fromMs: 5 * MINUTE },
    ];
    const rows = judge([stream({ errors })]).findings?.[0]?.rows?.map(
      ({ template = '', trend = '' }) => `${textOfValue(trend)} ${textOfValue(template)}`,
    );
    expect(rows).toEqual(['new timeout acquiring client <*>', 'steady old trouble with x <*>']);
  });

  it('counts every error of the last minute, old or new, of the pods that are there', () => {
    const gone = stream({
      pod: 'gone',
      remembered: true,
      errors: [{ everyMs: 100, fromMs: 5 * MINUTE }],
    });
    const verdict = judge([stream({ errors: [{ everyMs: 1000, fromMs: 60 * MINUTE }] }), gone]);
    const rate = verdict.measured.find(({ name }) => name === 'errorsPerMinute');
    expect(rate?.value).toBeGreaterThan(55);
    expect(rate?.value).toBeLessThan(65);
  });

  it('finds nothing in what only pods that are gone have said', () => {
    const errors = [{ everyMs: 500, fromMs: 5 * MINUTE, untilMs: 20_000 }];
    const gone = stream({ pod: 'checkout-2-z', remembered: true, untilMs: 20_000, errors });
    expect(judge([gone, stream()], ROLLED).findings).toEqual([]);
    expect(judge([{ ...gone, remembered: false }, stream()], ROLLED).findings).toHaveLength(1);
  });

  it('cannot tell old from new where a busy log reaches back too little', () => {
    const verdict = judge([
      stream({ coveredMs: 30_000, errors: [{ everyMs: 100, fromMs: 30_000 }] }),
    ]);
    expect(verdict.findings).toEqual([]);
    expect(verdict.blind?.[0]).toMatchObject({
      why: 'truncated',
      detail: expect.stringContaining('reach back only 30 s'),
    });
    expect(
      judge([stream({ coveredMs: MINUTE, errors: [{ everyMs: 100, fromMs: MINUTE }] })]).blind,
    ).toEqual([]);
  });

  it('speaks of the pod where it belongs to no Deployment', () => {
    const lone = cluster({
      pods: listed(pod({ name: 'db-0', meta: { ownerReferences: [] } })),
      sets: [],
      deployments: listed(),
    });
    const { replicaSet: _none, ...own } = stream({
      pod: 'db-0',
      errors: [{ everyMs: 500, fromMs: 5 * MINUTE }],
    });
    expect(judge([own], lone).findings?.[0]?.about).toEqual({
      kind: 'pod',
      name: 'shop/db-0',
      scope: 'prod',
    });
  });

  it('goes on without workloads, by pod, and passes on what could not be read', () => {
    const spot = blindSpot('denied', 'may not list deployments');
    const lost = blindSpot('denied', 'may not get pods/log');
    const logs = { streams: [stream()], blind: [lost] };
    const verdict = errorDistribution.judge(
      { workloads: spot, logs },
      limitsOf(errorDistribution.thresholds),
      lookAt(),
    );
    expect(verdict.blind).toEqual([lost, spot]);
    expect(statusOf(verdict)).toBe('healthy');
  });

  it('is quick on as many lines as are ever read', () => {
    const streams = Array.from({ length: 60 }, (_, n) =>
      stream({ pod: `p${n}`, errors: [{ everyMs: WINDOW_MS / 700, fromMs: WINDOW_MS }] }),
    );
    const began = performance.now();
    judge(streams);
    expect(performance.now() - began).toBeLessThan(2000);
  });
});
