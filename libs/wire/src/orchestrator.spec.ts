import { describe, expect, it } from '@jest/globals';
import type { SealedPlan } from '@starr/kernel';
import {
  ApplyPlanResponse,
  PlanRemedyResponse,
  SweepResponse,
} from './gen/starr/orchestrator/v1/orchestrator.ts';
import { Plan } from './gen/starr/orchestrator/v1/plan.ts';
import { applyPlanEventFromProto, applyPlanEventToProto } from './orchestrator-apply.mapping.ts';
import {
  planRemedyEventFromProto,
  planRemedyEventToProto,
  planViewFromProto,
} from './orchestrator-plan.mapping.ts';
import { sweepEventFromProto, sweepEventToProto } from './orchestrator-sweep.mapping.ts';
import type { ApplyPlanEvent, PlanRemedyEvent, PlanView, SweepEvent } from './orchestrator.ts';

const at = new Date('2026-11-24T03:12:08.123Z');
const about = { kind: 'postgres', name: 'orders' };
const sealed: SealedPlan = {
  remedy: 'db.x',
  target: 'orders',
  operations: [
    {
      id: 'o1',
      says: 's',
      byHand: 'b',
      reversible: true,
      onRefused: 'continue',
      onFailed: 'stop',
    },
  ],
  effect: {
    diagnostic: 'db.y',
    about,
    measurement: 'usedRatio',
    below: 0.5,
    settleMs: 1,
    holdMs: 2,
    withinMs: 3,
    onMiss: 'ask',
  },
  touches: [{ name: 'sessions', about, value: 7 }],
  warnings: ['w'],
  hash: `sha256:${'a'.repeat(64)}`,
  seal: 'x',
  expiresAt: at,
};
const plan: PlanView = {
  id: 'INC-7.1',
  incident: 'INC-7',
  role: 'relieve',
  says: 'end sessions',
  cause: 'leak',
  remedy: 'db.x',
  target: 'orders',
  params: { application: 'checkout', queryid: 9_007_199_254_740_993n },
  state: 'verifying',
  sealed,
  doctor: 'db-doctor',
  approval: { actor: 'ada', reason: 'r', approvedAt: at, expiresAt: at },
  journal: [
    { operationId: 'o1', intendedAt: at, actor: 'ada', says: '', isByProbe: false },
    {
      operationId: 'o2',
      intendedAt: at,
      actor: 'ada',
      outcome: 'not-applied',
      says: 'tombstoned',
      knownAt: at,
      isByProbe: true,
    },
  ],
  result: 'r',
  undoOf: 'INC-6.1',
};

const sweepEvents: SweepEvent[] = [
  {
    kind: 'started',
    sweepId: 's',
    environment: 'prod',
    traceId: 'a'.repeat(32),
    startedAt: at,
    expected: [{ diagnostic: 'db.y', target: 'orders', doctor: 'db-doctor' }],
    joined: true,
  },
  {
    kind: 'check',
    result: {
      diagnostic: 'db.y',
      target: 'orders',
      verdict: {
        measured: [],
        findings: [],
        changes: [],
        blind: [{ kind: 'blind', why: 'unreachable', detail: 'd' }],
      },
      relations: [],
      observedFrom: at,
      observedTo: at,
      thresholds: {},
      footprint: {},
    },
  },
  {
    kind: 'answer',
    answer: {
      incident: 'INC-7',
      headline: 'h',
      severity: 'warning',
      causes: [
        {
          playbook: 'p',
          title: 't',
          severity: 'critical',
          explains: 6,
          against: 1,
          isGrounded: true,
          path: 'a → b',
        },
      ],
      proposals: [
        { plan: 'INC-7.1', role: 'cure', says: 's', remedy: 'r', target: 't', params: {} },
        { role: 'relieve', says: 's', remedy: 'r', target: 't', params: { a: 1 } },
      ],
      unexplainedFindings: 2,
      checks: 13,
      blindChecks: 1,
      answerJson: '{}',
    },
  },
  { kind: 'notice', says: 'n' },
  { kind: 'ended', tookMs: 912.5, recorded: true },
];

const applyEvents: ApplyPlanEvent[] = [
  { kind: 'started', plan, joined: false },
  { kind: 'operation', operationId: 'o1', position: 0, says: 's', moved: { move: 'begun' } },
  {
    kind: 'operation',
    operationId: 'o1',
    position: 0,
    says: 's',
    moved: { move: 'progress', says: 'p', ratio: 0 },
  },
  {
    kind: 'operation',
    operationId: 'o1',
    position: 1,
    says: 's',
    moved: { move: 'ended', outcome: 'applied', says: 'done', isByProbe: false },
  },
  { kind: 'effect', state: 'holding', value: 0, says: 'e', observedAt: at, remainingMs: 1500 },
  { kind: 'effect', state: 'missed', says: 'e' },
  { kind: 'notice', says: 'n' },
  { kind: 'ended', plan, says: 'ok' },
];

const planEvents: PlanRemedyEvent[] = [
  { kind: 'progress', says: 'reading' },
  { kind: 'plan', plan },
  {
    kind: 'refused',
    says: 'no',
    blind: [{ kind: 'blind', why: 'denied', detail: 'd', cure: 'GRANT' }],
    byHand: ['SELECT 1'],
  },
];

describe('what the orchestrator says', () => {
  it.each(sweepEvents)('comes over the wire as it was: sweep event $kind', (event) => {
    const bytes = SweepResponse.encode(sweepEventToProto(event)).finish();
    expect(sweepEventFromProto(SweepResponse.decode(bytes))).toEqual(event);
  });

  it.each(applyEvents)('comes over the wire as it was: apply event $kind', (event) => {
    const bytes = ApplyPlanResponse.encode(applyPlanEventToProto(event)).finish();
    expect(applyPlanEventFromProto(ApplyPlanResponse.decode(bytes))).toEqual(event);
  });

  it.each(planEvents)('comes over the wire as it was: plan event $kind', (event) => {
    const bytes = PlanRemedyResponse.encode(planRemedyEventToProto(event)).finish();
    expect(planRemedyEventFromProto(PlanRemedyResponse.decode(bytes))).toEqual(event);
  });

  it('is left out when this reader does not know the event', () => {
    const empty = new Uint8Array();
    expect(sweepEventFromProto(SweepResponse.decode(empty))).toBeUndefined();
    expect(applyPlanEventFromProto(ApplyPlanResponse.decode(empty))).toBeUndefined();
    expect(planRemedyEventFromProto(PlanRemedyResponse.decode(empty))).toBeUndefined();
  });

  it('reads a plan without a known state as indeterminate', () => {
    expect(planViewFromProto(Plan.decode(new Uint8Array())).state).toBe('indeterminate');
  });
});
