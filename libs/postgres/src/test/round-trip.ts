import type {
  Adapter,
  AnyRemedy,
  Json,
  Outcome,
  Plan,
  PlanRefused,
  Probed,
  Progress,
  Receipt,
} from '@starr/kernel';
import { isBlindSpot } from '@starr/kernel';
import type { LabPostgres } from '@starr/lab';
import type { PostgresAct } from '../postgres-act.ts';
import type { PostgresRequest } from '../postgres-request.ts';
import { see } from './examine-once.ts';
import { limitOf, lookOf } from './lab-target.ts';

type PostgresRemedy = AnyRemedy<PostgresRequest, PostgresAct>;

export interface Applied {
  readonly outcome: Outcome;
  readonly progress: readonly Progress[];
}

/** A remedy on one real server, as the host runs it: read, plan, apply, probe, undo. */
export class RoundTrip {
  readonly adapter: Adapter<PostgresRequest, PostgresAct>;
  readonly #server: LabPostgres;
  readonly #options: Record<string, Json>;
  #count = 0;

  constructor(
    server: LabPostgres,
    adapter: Adapter<PostgresRequest, PostgresAct>,
    options: Record<string, Json> = { acting: 'starr_act' },
  ) {
    this.#server = server;
    this.adapter = adapter;
    this.#options = options;
  }

  async plan(
    remedy: PostgresRemedy,
    params: Record<string, unknown>,
  ): Promise<Plan<PostgresAct> | PlanRefused> {
    const seen = await this.#see(remedy);
    return remedy.plan(remedy.params.parse(params), seen as never, this.#look());
  }

  /** Fails when it is refused. */
  async planned(
    remedy: PostgresRemedy,
    params: Record<string, unknown>,
  ): Promise<Plan<PostgresAct>> {
    const plan = await this.plan(remedy, params);
    if ('refused' in plan) throw new Error(`refused: ${plan.refused}`);
    return plan;
  }

  /** Fails when it is not. */
  async refused(remedy: PostgresRemedy, params: Record<string, unknown>): Promise<string> {
    const plan = await this.plan(remedy, params);
    if ('refused' in plan) return plan.refused;
    throw new Error(`not refused: ${plan.operations[0]?.says ?? ''}`);
  }

  async undone(
    remedy: PostgresRemedy,
    receipts: readonly Receipt[],
  ): Promise<Plan<PostgresAct> | PlanRefused> {
    const seen = await this.#see(remedy);
    return remedy.undo?.(receipts, seen as never, this.#look()) ?? { refused: 'no way back' };
  }

  async apply(
    plan: Plan<PostgresAct>,
    onProgress: (progress: Progress, operationId: string) => unknown = () => undefined,
  ): Promise<Applied & { readonly operationId: string }> {
    this.#count += 1;
    const operationId = `p0123456789ab.${this.#count}`;
    const progress: Progress[] = [];
    let outcome: Outcome | undefined;
    const limit = limitOf({ timeoutMs: 60_000 });
    for await (const event of this.adapter.apply(actOf(plan), operationId, limit)) {
      if (event.kind === 'outcome') outcome = event;
      else {
        progress.push(event);
        await onProgress(event, operationId);
      }
    }
    if (outcome === undefined) throw new Error('no outcome');
    return { outcome, progress, operationId };
  }

  probe(plan: Plan<PostgresAct>, operationId = 'p0123456789ab.0'): Promise<Probed> {
    return this.adapter.probe(actOf(plan), operationId, limitOf({ timeoutMs: 2000 }));
  }

  receiptOf(remedy: PostgresRemedy, plan: Plan<PostgresAct>, { outcome }: Applied): Receipt {
    if (outcome.outcome !== 'applied') throw new Error(JSON.stringify(outcome));
    return {
      operationId: 'p0123456789ab.0',
      remedy: remedy.id,
      target: 'orders',
      act: JSON.parse(JSON.stringify(actOf(plan))) as Json,
      before: outcome.before,
      after: outcome.after,
      appliedAt: new Date(),
    };
  }

  #look() {
    return lookOf({ version: this.#server.version, options: this.#options });
  }

  async #see(remedy: PostgresRemedy): Promise<Record<string, unknown>> {
    const entries = await Promise.all(
      Object.entries(remedy.reads).map(async ([name, read]) => {
        const bare = read.wrap?.as === 'optional' ? read.wrap.inner : read;
        const value = await see(bare, this.adapter, this.#look(), limitOf());
        if (isBlindSpot(value) && read.wrap?.as !== 'optional')
          throw new Error(`${read.id}: ${value.detail}`);
        return [name, value] as const;
      }),
    );
    return Object.fromEntries(entries);
  }
}

/** The only act of a plan, as it comes out of its seal. */
export function actOf(plan: Plan<PostgresAct>): PostgresAct {
  return JSON.parse(JSON.stringify(plan.operations[0]?.act)) as PostgresAct;
}
