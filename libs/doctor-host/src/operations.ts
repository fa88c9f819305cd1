import {
  DoctorError,
  type ApplyEvent,
  type ApplyRequest,
  type OperationEnd,
  type ProbeResult,
  type SealedOperation,
  EventLog,
} from '@starr/kernel';
import { ATTRIBUTE, inSpan, SPAN } from '@starr/telemetry';
import { askPatient, performAct, sealReceipt, type ActContext } from './act.ts';
import type { TargetState } from './examine.ts';
import { verifyGrant } from './grants.ts';
import { planContentSchema, type PlanContent, type SealedAct } from './sealed-content.ts';
import { refuse } from './sealing.ts';

export interface OperationsContext extends ActContext {
  readonly life: string;
  readonly states: readonly TargetState[];
  /** PEM; absent: nothing can be granted, so nothing is applied. */
  readonly grantPublicKeyPem?: string | undefined;
}

/** What this life of the doctor knows of an operation. */
type Known =
  | { readonly state: 'running'; readonly events: EventLog<ApplyEvent> }
  | { readonly state: 'ended'; readonly end: OperationEnd }
  | { readonly state: 'tombstoned' };

/** Applies at most once: whatever is asked again is answered from what is known, or probed, never repeated. */
export class Operations {
  readonly #context: OperationsContext;
  readonly #known = new Map<string, Known>();
  /** Target, and whether what acts on it is long → operation. */
  readonly #acting = new Map<string, string>();

  constructor(context: OperationsContext) {
    this.#context = context;
  }

  async *apply(request: ApplyRequest, signal: AbortSignal): AsyncGenerator<ApplyEvent> {
    const { content, operation } = this.#open(request);
    this.#checkGrant(request, content);
    const known = this.#known.get(operation.id);
    switch (known?.state) {
      case 'tombstoned':
        throw refuse(
          'REMEDY_TOMBSTONED',
          `operation ${operation.id} was declared not applied; make a new plan`,
        );
      case 'ended':
        yield { kind: 'end', end: known.end };
        return;
      case 'running':
        yield* known.events.follow(signal);
        return;
      case undefined:
        yield* this.#begin(content, operation).follow(signal);
    }
  }

  async probe(request: SealedOperation): Promise<ProbeResult> {
    const { content, operation } = this.#open(request);
    const known = this.#known.get(operation.id);
    switch (known?.state) {
      case 'running':
        return { state: 'running', says: 'in progress' };
      case 'tombstoned':
        return { state: 'not-applied', says: 'declared not applied earlier' };
      case 'ended':
        return this.#probeEnded(content, operation, known.end);
      case undefined:
        // Sealed in this life and never begun here: this process alone acts on the target.
        if (content.life === this.#context.life)
          return this.#tombstone(operation.id, 'it was never begun');
        return this.#probePatient(content, operation);
    }
  }

  async cancel(request: SealedOperation): Promise<void> {
    const { content, operation } = this.#open(request);
    if (this.#known.get(operation.id)?.state !== 'running') return;
    await this.#stateOf(content.target).target.adapter.cancel?.(operation.id);
  }

  #open({ seal, operationId }: SealedOperation): {
    content: PlanContent;
    operation: SealedAct;
  } {
    const parsed = planContentSchema.safeParse(this.#context.sealing.open('plan', seal));
    if (!parsed.success || parsed.data.doctor !== this.#context.doctor)
      throw refuse('REMEDY_SEAL', 'the seal is of another doctor or form');
    const operation = parsed.data.operations.find(({ id }) => id === operationId);
    if (!operation) {
      throw new DoctorError('REMEDY_SEAL', {
        message: `operation ${JSON.stringify(operationId.slice(0, 64))} is not in this plan`,
        details: { field: 'operation_id' },
      });
    }
    return { content: parsed.data, operation };
  }

  #checkGrant({ grant, operationId }: ApplyRequest, { hash }: PlanContent): void {
    const { grantPublicKeyPem, clock } = this.#context;
    if (grantPublicKeyPem === undefined)
      throw refuse(
        'REMEDY_GRANT',
        'no public key for grants is configured, so nothing is applied here',
      );
    verifyGrant(grant, grantPublicKeyPem, { planHash: hash, operationId, now: clock.now() });
  }

  #begin(content: PlanContent, operation: SealedAct): EventLog<ApplyEvent> {
    const { clock, life } = this.#context;
    if (content.life !== life)
      throw refuse(
        'REMEDY_SEAL',
        'the plan was sealed in an earlier life of this doctor, which no longer knows what it tombstoned; make a new plan',
      );
    if (new Date(content.expiresAt) <= clock.now())
      throw refuse(
        'REMEDY_SEAL',
        `the plan could be applied until ${content.expiresAt}; make a new one`,
      );
    const state = this.#stateOf(content.target);
    if (!state.target.acts)
      throw refuse('REMEDY_REFUSED', `no acting credential is configured for ${content.target}`);
    const busy = this.#acting.get(actingKey(content, operation));
    if (busy !== undefined)
      throw refuse('REMEDY_BUSY', `operation ${busy} is in progress on ${content.target}`);
    const events = new EventLog<ApplyEvent>();
    this.#acting.set(actingKey(content, operation), operation.id);
    this.#known.set(operation.id, { state: 'running', events });
    events.push({ kind: 'accepted' });
    // Not awaited: whoever asked may go away, the act goes on.
    void this.#act(content, operation, state, events);
    return events;
  }

  async #act(
    content: PlanContent,
    operation: SealedAct,
    state: TargetState,
    events: EventLog<ApplyEvent>,
  ): Promise<void> {
    const attributes = {
      [ATTRIBUTE.remedy]: content.remedy,
      [ATTRIBUTE.target]: content.target,
      [ATTRIBUTE.operationId]: operation.id,
    };
    const end = await inSpan(SPAN.apply(content.remedy), { attributes }, async (span) => {
      const ended = await performAct(
        this.#context,
        { content, operation },
        state.target.adapter,
        events,
      );
      span.setAttribute(ATTRIBUTE.operationOutcome, ended.outcome);
      return ended;
    });
    this.#known.set(operation.id, { state: 'ended', end });
    this.#acting.delete(actingKey(content, operation));
    state.samples.clear(); // evidence from before the act must not be compared with
    events.push({ kind: 'end', end });
    events.close();
  }

  async #probeEnded(
    content: PlanContent,
    operation: SealedAct,
    end: OperationEnd,
  ): Promise<ProbeResult> {
    switch (end.outcome) {
      case 'applied':
      case 'partial':
        return { state: 'applied', receipt: end.receipt, says: end.says };
      case 'refused':
      case 'failed':
        return this.#tombstone(operation.id, end.says);
      case 'indeterminate':
        return this.#probePatient(content, operation);
    }
  }

  async #probePatient(content: PlanContent, operation: SealedAct): Promise<ProbeResult> {
    const probed = await askPatient(() => this.#stateOf(content.target).target.adapter, operation);
    switch (probed.state) {
      case 'applied':
        return {
          state: 'applied',
          receipt: sealReceipt(this.#context, { content, operation }, probed),
          says: 'the patient shows that it took place',
        };
      case 'not-applied':
        return this.#tombstone(operation.id, probed.says);
      case 'running':
      case 'indeterminate':
        return { state: probed.state, says: probed.says };
    }
  }

  #tombstone(operationId: string, says: string): ProbeResult {
    this.#known.set(operationId, { state: 'tombstoned' });
    return { state: 'not-applied', says };
  }

  #stateOf(target: string): TargetState {
    const state = this.#context.states.find((each) => each.target.name === target);
    if (!state)
      throw new DoctorError('TARGET_UNKNOWN', {
        message: `target ${JSON.stringify(target)} is not configured any more`,
        details: { field: 'target' },
      });
    return state;
  }
}

/** What is urgent need not wait for what is long, nor the other way round; two of a kind never act at once. */
function actingKey({ target }: PlanContent, { isLong = false }: SealedAct): string {
  return JSON.stringify([target, isLong]);
}
