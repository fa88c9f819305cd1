import { randomBytes } from 'node:crypto';
import {
  DoctorError,
  hashJson,
  isBlindSpot,
  type AnyRemedy,
  type Clock,
  type Json,
  type Plan,
  type PlanEvent,
  type PlanRefused,
  type PlanRequest,
  type Receipt,
  type SealedPlan,
  type Value,
} from '@starr/kernel';
import type { Look } from '@starr/kernel';
import { ATTRIBUTE, inSpan, SPAN } from '@starr/telemetry';
import { startReading, type TargetState } from './examine.ts';
import type { Sealing } from './sealing.ts';
import { receiptContentSchema, type PlanContent } from './sealed-content.ts';

export interface PlanContext {
  readonly doctor: string;
  readonly life: string;
  readonly remedies: readonly AnyRemedy[];
  readonly states: readonly TargetState[];
  readonly clock: Clock;
  readonly sealing: Sealing;
  readonly pairGapMs: number;
  /** How long a plan may be applied after it was made. */
  readonly sealLifetimeMs: number;
}

const PLAN_BUDGET_MS = 4000;
const PLAN_WINDOW_MS = 30 * 60_000;

/** Fresh pre-state → plan → seal. Changes nothing. */
export async function* plan(
  context: PlanContext,
  request: PlanRequest,
  signal: AbortSignal,
): AsyncGenerator<PlanEvent> {
  const remedy = context.remedies.find(({ id }) => id === request.remedy);
  if (!remedy)
    throw unknown(
      'REMEDY_UNKNOWN',
      'remedy',
      request.remedy,
      context.remedies.map(({ id }) => id),
    );
  const state = context.states.find(({ target }) => target.name === request.target);
  if (!state)
    throw unknown(
      'TARGET_UNKNOWN',
      'target',
      request.target,
      context.states.map(({ target }) => target.name),
    );
  const undo = request.undo && openReceipts(request.undo, remedy, request.target, context);
  const params = undo ? undefined : parseParams(remedy, request.params);
  yield { kind: 'progress', says: `reading the present state of ${request.target}` };
  const attributes = { [ATTRIBUTE.remedy]: remedy.id, [ATTRIBUTE.target]: request.target };
  yield await inSpan(SPAN.plan(remedy.id), { attributes }, () =>
    makePlan(context, { request, remedy, state, params, undo }, signal),
  );
}

interface Asked {
  readonly request: PlanRequest;
  readonly remedy: AnyRemedy;
  readonly state: TargetState;
  /** Absent with `undo`. */
  readonly params: unknown;
  readonly undo: readonly Receipt[] | undefined;
}

async function makePlan(
  context: PlanContext,
  { request, remedy, state, params, undo }: Asked,
  signal: AbortSignal,
): Promise<PlanEvent> {
  const evidence = { windowMs: PLAN_WINDOW_MS, evidenceNotBefore: context.clock.now() };
  const reading = startReading(context, state, evidence, PLAN_BUDGET_MS, signal);
  const look = await reading.look();
  if (isBlindSpot(look)) {
    return {
      kind: 'refused',
      says: `${request.target} cannot be looked at, so nothing is planned on it`,
      blind: [look],
    };
  }
  const entries = await Promise.all(
    Object.entries(remedy.reads).map(
      async ([name, read]) => [name, read, (await reading.see(read)).value] as const,
    ),
  );
  const blind = entries.flatMap(([, read, value]) =>
    isBlindSpot(value) && read.wrap?.as !== 'optional' ? [value] : [],
  );
  if (blind.length > 0) {
    return { kind: 'refused', says: 'the state that the plan would rest on cannot be seen', blind };
  }
  const seen = Object.fromEntries(entries.map(([name, , value]) => [name, value])) as never;
  const made = undo ? makeUndo(remedy, undo, seen, look) : remedy.plan(params, seen, look);
  return 'refused' in made
    ? { kind: 'refused', says: made.refused, blind: [] }
    : { kind: 'plan', plan: await sealPlan(context, request, made) };
}

function unknown(
  code: 'REMEDY_UNKNOWN' | 'TARGET_UNKNOWN',
  field: string,
  received: string,
  known: readonly string[],
): DoctorError {
  const allowed = known.join(', ') || 'none is configured';
  return new DoctorError(code, {
    message: `${field} is ${JSON.stringify(received)}; allowed: ${allowed}`,
    details: { field, received, allowed },
  });
}

function parseParams(remedy: AnyRemedy, params: Readonly<Record<string, Value>>): unknown {
  const plain = Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      typeof value === 'bigint' ? Number(value) : value,
    ]),
  );
  const parsed = remedy.params.safeParse(plain);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path.map(String).join('.') ?? '';
  const field = path === '' ? 'params' : `params.${path}`;
  throw new DoctorError('REMEDY_PARAMETERS', {
    message: `${field} of ${remedy.id}: ${issue?.message ?? 'not valid'}`,
    details: { field },
  });
}

function openReceipts(
  texts: readonly string[],
  remedy: AnyRemedy,
  target: string,
  { sealing }: PlanContext,
): Receipt[] {
  return texts.map((text) => {
    const { appliedAt, ...content } = receiptContentSchema.parse(sealing.open('receipt', text));
    if (content.remedy !== remedy.id || content.target !== target) {
      throw new DoctorError('REMEDY_SEAL', {
        message: `the receipt is of ${content.remedy} on ${content.target}`,
        details: { field: 'undo_receipts' },
      });
    }
    return { ...content, appliedAt: new Date(appliedAt) };
  });
}

function makeUndo(
  remedy: AnyRemedy,
  receipts: readonly Receipt[],
  seen: never,
  look: Look,
): Plan<unknown> | PlanRefused {
  if (!remedy.undo) return { refused: `${remedy.id} cannot be undone` };
  return remedy.undo(receipts, seen, look);
}

async function sealPlan(
  context: PlanContext,
  request: PlanRequest,
  made: Plan<unknown>,
): Promise<SealedPlan> {
  const planId = `p${randomBytes(6).toString('hex')}`;
  const operations = made.operations.map((operation, index) => ({
    ...operation,
    id: `${planId}.${index + 1}`,
  }));
  const expiresAt = new Date(context.clock.now().getTime() + context.sealLifetimeMs);
  const { remedy, target } = request;
  const public_ = {
    remedy,
    target,
    effect: made.effect,
    touches: made.touches,
    warnings: made.warnings,
  };
  const hash = await hashJson(
    asJson({ doctor: context.doctor, ...public_, operations, expiresAt: expiresAt.toISOString() }),
  );
  const content: PlanContent = {
    v: 1,
    doctor: context.doctor,
    life: context.life,
    remedy,
    target,
    hash,
    expiresAt: expiresAt.toISOString(),
    operations: operations.map(({ id, says, act, isLong }) => ({
      id,
      says,
      act: asJson(act),
      ...(isLong === true && { isLong }),
    })),
  };
  const seal = context.sealing.seal('plan', content);
  return {
    ...public_,
    operations: operations.map(({ act: _act, ...visible }) => visible),
    hash,
    seal,
    expiresAt,
  };
}

/** Acts are plain data by contract; this also takes away what JSON would not carry. */
function asJson(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
