import { describe, expect, it } from '@jest/globals';
import {
  DoctorError,
  ERROR_CODES,
  statusOf,
  type CheckResult,
  type ErrorCode,
  type SealedPlan,
  type Value,
} from '@starr/kernel';
import {
  ExamineRequest,
  ExamineResponse,
  SealedPlan as SealedPlanMessage,
} from './gen/starr/doctor/v1/doctor.ts';
import {
  checkResultFromProto,
  checkResultToProto,
  columnsFromProto,
  columnsToProto,
  errorFromStatus,
  examineRequestFromProto,
  momentFromProto,
  momentToProto,
  probeResultFromProto,
  sealedPlanFromProto,
  sealedPlanToProto,
  statusFromError,
} from './index.ts';
import { applyEventFromProto } from './plan.mapping.ts';

const about = { kind: 'application', name: 'checkout', scope: 'orders' };

const RESULT: CheckResult = {
  diagnostic: 'db.connection-leak',
  target: 'orders',
  verdict: {
    measured: [{ name: 'leakedSessions', about, value: 77, limit: 5 }],
    findings: [
      {
        severity: 'critical',
        about,
        says: '77 leaked',
        since: new Date('2026-11-24T03:05:40.120Z'),
        measured: [],
        rows: [
          {
            pid: 9007199254740993n,
            at: { moment: '2026-11-24T03:05:40.123456000Z' },
            idle: { durationMs: 1500 },
          },
        ],
        involves: [{ kind: 'address', name: '127.0.0.9' }],
      },
    ],
    changes: [{ about, at: new Date(1000), says: 'rolled out', facts: { to: '2' } }],
    blind: [
      { kind: 'blind', why: 'redacted', detail: 'NULLs', cure: 'GRANT pg_monitor TO starr;' },
    ],
  },
  relations: [
    { from: about, is: 'uses', to: { kind: 'postgres', name: 'orders' }, since: new Date(5) },
  ],
  observedFrom: new Date(10),
  observedTo: new Date(20),
  thresholds: { most: 5 },
  clockSkewMs: -3.5,
  historySince: new Date(1),
  footprint: { queries: 3 },
  spanId: '00f067aa0ba902b7',
};

describe('messages', () => {
  it('carry a check result over the wire and back without loss', () => {
    const bytes = ExamineResponse.encode(checkResultToProto(RESULT)).finish();
    expect(checkResultFromProto(ExamineResponse.decode(bytes))).toEqual(RESULT);
  });

  it('carry a plan over the wire and back without loss', () => {
    const plan: SealedPlan = {
      remedy: 'db.terminate-idle-sessions',
      target: 'orders',
      operations: [
        {
          id: 'p1.1',
          says: 'end',
          byHand: 'psql',
          reversible: false,
          onRefused: 'continue',
          onFailed: 'stop',
          isLong: true,
        },
        {
          id: 'p1.2',
          says: 'end another',
          byHand: 'psql',
          reversible: false,
          onRefused: 'stop',
          onFailed: 'continue',
        },
      ],
      effect: {
        diagnostic: 'db.connection-use',
        about,
        measurement: 'usedRatio',
        below: 0.8,
        settleMs: 1500,
        holdMs: 10_000,
        withinMs: 60_000,
        onMiss: 'undo-if-worse',
      },
      touches: [{ name: 'sessions', about, value: 77 }],
      warnings: ['a'],
      hash: `sha256:${'0'.repeat(64)}`,
      seal: 's',
      expiresAt: new Date(99),
    };
    const bytes = SealedPlanMessage.encode(sealedPlanToProto(plan)).finish();
    expect(sealedPlanFromProto(SealedPlanMessage.decode(bytes))).toEqual(plan);
  });

  it('keep every kind of value, int64 beyond a double included', () => {
    const row: Record<string, Value> = {
      a: 'text',
      b: 1.5,
      c: 2n ** 62n,
      d: false,
      e: new Uint8Array([1, 2]),
      f: { moment: '2026-01-01T00:00:00.000000001Z' },
      g: { durationMs: -250 },
    };
    const back = columnsFromProto(columnsToProto(row));
    expect({ ...back, e: [...(back['e'] as Uint8Array)] }).toEqual({ ...row, e: [1, 2] });
  });

  it.each([
    ['2026-11-24 03:05:40.123456+00', '2026-11-24T03:05:40.123456000Z'],
    ['2026-11-24 03:05:40.123456+02', '2026-11-24T01:05:40.123456000Z'],
    ['2026-11-24T03:05:40.1-05:30', '2026-11-24T08:35:40.100000000Z'],
    ['1969-12-31T23:59:59.5Z', '1969-12-31T23:59:59.500000000Z'],
  ])('read the moment %s as %s', (text, read) => {
    expect(momentFromProto(momentToProto(text))).toBe(read);
  });

  it.each(['', 'yesterday', '2026-13-45T99:00:00Z', '2026-11-24'])(
    'refuse %j as a moment',
    (text) => {
      expect(() => momentToProto(text)).toThrow('WIRE_INVALID');
    },
  );
});

describe('names from the wire', () => {
  it('are names, also those that every object has', () => {
    const request = ExamineRequest.fromPartial({
      thresholds: [
        { diagnostic: '__proto__', threshold: 'polluted', value: 1 },
        { diagnostic: 'db.x', threshold: '__proto__', value: 2 },
      ],
    });
    const { thresholds } = examineRequestFromProto(request);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(Object.entries(thresholds ?? {}).map(([id, each]) => [id, Object.keys(each)])).toEqual([
      ['__proto__', ['polluted']],
      ['db.x', ['__proto__']],
    ]);
  });
});

describe('what a reader does not know', () => {
  it('a status reads as blind, not as healthy', () => {
    const message = {
      ...checkResultToProto({ ...RESULT, verdict: { measured: RESULT.verdict.measured } }),
      status: 99 as never,
    };
    expect(statusOf(checkResultFromProto(message).verdict)).toBe('blind');
  });

  it('an absent status reads as blind', () => {
    const message = ExamineResponse.decode(
      ExamineResponse.encode(
        ExamineResponse.fromPartial({ diagnostic: 'x', target: 'y' }),
      ).finish(),
    );
    expect(statusOf(checkResultFromProto(message).verdict)).toBe('blind');
  });

  it('a severity reads as critical', () => {
    const message = checkResultToProto(RESULT);
    const [finding] = message.findings;
    if (finding) finding.severity = 0;
    expect(checkResultFromProto(message).verdict.findings?.[0]?.severity).toBe('critical');
  });

  it('an outcome and a probe state read as indeterminate', () => {
    expect(
      applyEventFromProto({
        event: { $case: 'end', value: { outcome: 0, receipt: '', says: '' } },
      }),
    ).toMatchObject({ end: { outcome: 'indeterminate' } });
    expect(probeResultFromProto({ state: 0, receipt: '', says: '' }).state).toBe('indeterminate');
  });
});

describe('errors over the wire', () => {
  it.each(Object.keys(ERROR_CODES) as ErrorCode[])(
    '%s comes back as itself, with its details',
    (code) => {
      const error = new DoctorError(code, {
        message: 'said',
        details: { field: 'window', received: '-1' },
      });
      const back = errorFromStatus(statusFromError(error));
      expect(back.code).toBe(code);
      if (code !== 'INTERNAL')
        expect(back).toMatchObject({
          rawMessage: 'said',
          details: { field: 'window', received: '-1' },
        });
    },
  );

  it('what a caller sent is not echoed whole: a header too large would break the connection', () => {
    const received = '…'.repeat(100_000);
    const message = `target is ${received}`;
    const left = statusFromError(
      new DoctorError('TARGET_UNKNOWN', { message, details: { field: received, received } }),
    );
    const [binary] = left.metadata?.get('grpc-status-details-bin') ?? [];
    const headerBytes = encodeURI(left.details).length + (binary?.length ?? 0) * 1.4;
    expect(headerBytes).toBeLessThan(60_000);
    expect(left.details).toMatch(/^target is …+ … \(100010 characters\)$/);
    expect(errorFromStatus(left).code).toBe('TARGET_UNKNOWN');
  });

  it('an error that is not ours leaves as a fixed sentence', () => {
    const left = statusFromError(new Error('password=hunter2'));
    expect(left.details).toBe(ERROR_CODES.INTERNAL.says);
    expect(JSON.stringify(left.metadata?.getMap())).not.toContain('hunter2');
  });
});
