import {
  toDoctorError,
  type Adapter,
  type ApplyEvent,
  type Clock,
  type Json,
  type OperationEnd,
  type Outcome,
  type Probed,
  type EventLog,
} from '@starr/kernel';
import type { Log } from '@starr/telemetry';
import type { PlanContent, ReceiptContent, SealedAct } from './sealed-content.ts';
import type { Sealing } from './sealing.ts';

export interface ActContext {
  readonly doctor: string;
  readonly clock: Clock;
  readonly sealing: Sealing;
  readonly log: Log;
  readonly actTimeoutMs: number;
}

export interface OpenedOperation {
  readonly content: PlanContent;
  readonly operation: SealedAct;
}

const PROBE_TIMEOUT_MS = 5000;

/** Carries one act out and says how it ended; whatever is not known for certain is indeterminate. */
export async function performAct(
  context: ActContext,
  opened: OpenedOperation,
  adapter: Adapter,
  events: EventLog<ApplyEvent>,
): Promise<OperationEnd> {
  const { operation } = opened;
  const limit = {
    timeoutMs: context.actTimeoutMs,
    maxRows: 1000,
    signal: new AbortController().signal,
    spend: () => undefined,
  };
  try {
    for await (const event of adapter.apply(operation.act, operation.id, limit)) {
      if (event.kind === 'outcome') return endOf(context, opened, event);
      events.push({
        kind: 'progress',
        says: event.says,
        ...(event.ratio !== undefined && { ratio: event.ratio }),
      });
    }
    return { outcome: 'indeterminate', says: 'the act ended without saying how' };
  } catch (thrown) {
    const error = toDoctorError(thrown);
    context.log.log('error', `operation ${operation.id} failed`, {
      code: error.code,
      error: error.rawMessage,
    });
    // An adapter says "failed" itself when it knows that nothing was done; what it throws is not known.
    return { outcome: 'indeterminate', says: error.rawMessage };
  }
}

function endOf(context: ActContext, opened: OpenedOperation, outcome: Outcome): OperationEnd {
  switch (outcome.outcome) {
    case 'applied':
      return {
        outcome: 'applied',
        receipt: sealReceipt(context, opened, outcome),
        says: opened.operation.says,
      };
    case 'partial':
      return {
        outcome: 'partial',
        receipt: sealReceipt(context, opened, outcome),
        says: outcome.says,
      };
    case 'refused':
    case 'failed':
    case 'indeterminate':
      return { outcome: outcome.outcome, says: outcome.says };
  }
}

/** The sealed proof of what was done, with old and new values. */
export function sealReceipt(
  context: Pick<ActContext, 'doctor' | 'clock' | 'sealing'>,
  { content, operation }: OpenedOperation,
  values: { readonly before: Json; readonly after: Json },
): string {
  const receipt: ReceiptContent = {
    v: 1,
    doctor: context.doctor,
    operationId: operation.id,
    remedy: content.remedy,
    target: content.target,
    act: operation.act,
    before: values.before,
    after: values.after,
    appliedAt: context.clock.now().toISOString(),
  };
  return context.sealing.seal('receipt', receipt);
}

/** The patient's own word on whether the act took place. */
export async function askPatient(adapterOf: () => Adapter, operation: SealedAct): Promise<Probed> {
  const limit = {
    timeoutMs: PROBE_TIMEOUT_MS,
    maxRows: 1000,
    signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    spend: () => undefined,
  };
  try {
    return await adapterOf().probe(operation.act, operation.id, limit);
  } catch (thrown) {
    return {
      state: 'indeterminate',
      says: `the patient could not be asked: ${toDoctorError(thrown).rawMessage}`,
    };
  }
}
