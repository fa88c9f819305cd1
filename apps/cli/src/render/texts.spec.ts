import { describe, expect, it } from '@jest/globals';
import type { DoctorCatalogView, HealthView, PlanView, TraceSpanView } from '@starr/wire';
import { catalogText } from '../commands/catalog.ts';
import { grantsText } from '../commands/grants.ts';
import { healthText } from '../commands/health.ts';
import { applyLine } from './apply-line.ts';
import { planText, refusalText } from './plan-text.ts';
import { traceText } from './trace-text.ts';

const about = { kind: 'postgres', name: 'orders' };

const PLAN: PlanView = {
  id: 'INC-7.1',
  incident: 'INC-7',
  role: 'relieve',
  says: 'End idle sessions',
  remedy: 'db.terminate-idle-sessions',
  target: 'orders',
  params: {},
  state: 'planned',
  journal: [],
  sealed: {
    remedy: 'db.terminate-idle-sessions',
    target: 'orders',
    operations: [
      {
        id: 'p1.1',
        says: 'end 77 sessions',
        byHand: 'SELECT 1\nFROM a',
        reversible: false,
        onRefused: 'stop',
        onFailed: 'stop',
      },
      {
        id: 'p1.2',
        says: 'vacuum orders',
        byHand: 'VACUUM orders',
        reversible: false,
        onRefused: 'stop',
        onFailed: 'stop',
        isLong: true,
      },
    ],
    effect: {
      diagnostic: 'db.connection-use',
      about,
      measurement: 'useRatio',
      below: 0.8,
      settleMs: 5000,
      holdMs: 30_000,
      withinMs: 120_000,
      onMiss: 'ask',
    },
    touches: [{ name: 'sessionsEnded', about, value: 77 }],
    warnings: ['full again in ~6 min'],
    hash: 'sha256:abc',
    seal: 's',
    expiresAt: new Date('2026-11-24T03:15:00Z'),
  },
};

describe('texts', () => {
  it('of a plan hold what an approver needs: act, by hand, effect, warning, hash', () => {
    expect(planText(PLAN)).toBe(
      [
        'PLAN INC-7.1  db.terminate-idle-sessions on orders',
        '  1  end 77 sessions  (irreversible)',
        '     by hand  SELECT 1',
        '              FROM a',
        '  2  vacuum orders  (irreversible, may take long)',
        '     by hand  VACUUM orders',
        'touches  sessionsEnded 77',
        'effect   useRatio of postgres orders below 0.8, after 5.0 s, held for 30 s, within 2 min (db.connection-use)',
        'warning  full again in ~6 min',
        'valid    until 2026-11-24T03:15:00.000Z',
        'hash     sha256:abc',
        'apply    starr apply INC-7.1 --approve sha256:abc',
      ].join('\n'),
    );
  });

  it('of a long command by hand say how much is left out, and where it is', () => {
    const [operation] = PLAN.sealed?.operations ?? [];
    const long = {
      ...PLAN,
      sealed: {
        ...PLAN.sealed!,
        operations: [
          {
            ...operation!,
            byHand: Array.from({ length: 10 }, (_, line) => `line ${line}`).join('\n'),
          },
        ],
      },
    };
    expect(planText(long)).toContain('… 4 more lines: starr show INC-7.1 --json');
  });

  it('of a refusal hold the blind spots with their cures and what a person can type', () => {
    const text = refusalText({
      kind: 'refused',
      says: 'it cannot be seen',
      blind: [{ kind: 'blind', why: 'denied', detail: 'no leave', cure: 'GRANT' }],
      byHand: ['psql'],
    });
    expect(text).toBe('NO PLAN  it cannot be seen\n  denied  no leave  cure: GRANT\nby hand  psql');
  });

  it('of an applied plan number operations from 1 and say what is not known', () => {
    expect(
      applyLine({
        kind: 'operation',
        operationId: 'p1.1',
        position: 0,
        says: 'end',
        moved: { move: 'ended', says: 'lost', isByProbe: true },
      }),
    ).toBe('  1  not known yet (by probe): lost');
    expect(
      applyLine({
        kind: 'effect',
        state: 'holding',
        value: 0.21052631578947367,
        says: 'below 0.8',
        remainingMs: 12_000,
      }),
    ).toBe('  effect holding  0.211  below 0.8  12 s left');
  });

  it('of health tell a service that is away and a target that is seen in part', () => {
    const health: HealthView = {
      services: [
        { name: 'db-doctor', address: '127.0.0.1:7701', isServing: false, says: 'refused' },
      ],
      targets: [
        {
          name: 'orders',
          kind: 'postgres',
          doctor: 'db-doctor',
          isSeen: true,
          checks: 4,
          blindChecks: 1,
          says: 'no leave',
          cure: 'GRANT',
          acts: false,
        },
      ],
    };
    expect(healthText(health)).toBe(
      'SERVICES\nAWAY  db-doctor  127.0.0.1:7701  refused\n\nTARGETS\npart  orders  postgres  3 of 4 checks see  looks only  no leave  cure: GRANT',
    );
  });

  it('of grants are comments and commands of the language, fit for a pipe', () => {
    const advice = {
      language: 'sql',
      diagnosing: ['GRANT a;'],
      acting: ['GRANT b;'],
      lacking: ['GRANT b;'],
    };
    expect(grantsText('orders', advice, false)).toBe('-- orders: lacking\nGRANT b;');
    expect(grantsText('orders', { ...advice, lacking: [] }, false)).toBe(
      '-- orders: nothing is lacking',
    );
    expect(grantsText('shop', { ...advice, language: 'kubectl' }, true)).toContain(
      '# for looking\nGRANT a;',
    );
  });

  it('of the catalog say which doctor is away and what cannot be undone', () => {
    const doctor: DoctorCatalogView = {
      name: 'db-doctor',
      isReachable: false,
      targets: [],
      diagnostics: [],
      remedies: [{ id: 'db.x', title: 'X', explains: '', paramsSchema: '{}', reversible: false }],
    };
    expect(catalogText([doctor])).toBe(
      'db-doctor (away; as last known): no target\n  remedy  db.x  X (irreversible)',
    );
  });

  it('of a trace are a tree in the order of time, with what failed marked', () => {
    const span = (
      spanId: string,
      name: string,
      atMs: number,
      more: Partial<TraceSpanView> = {},
    ): TraceSpanView => ({
      spanId,
      name,
      service: 's',
      startedAt: new Date(atMs),
      tookMs: 5,
      isFailed: false,
      attributes: {},
      events: [],
      ...more,
    });
    const text = traceText([
      span('c', 'late', 30, { parentSpanId: 'a' }),
      span('a', 'root', 10),
      span('b', 'early', 20, { parentSpanId: 'a', isFailed: true, events: ['starr.finding'] }),
    ]);
    expect(text.split('\n').map((line) => line.slice(0, 56).trimEnd())).toEqual([
      'root',
      '  ! early',
      '      • starr.finding',
      '  late',
    ]);
    expect(text).toContain('+20 ms');
  });
});
