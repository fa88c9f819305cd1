import { DoctorError, toDoctorError, EventLog } from '@starr/kernel';
import type { Lease, Store, StoredPlan } from '@starr/store';
import type { Log } from '@starr/telemetry';
import type { ApplyPlanEvent } from '@starr/wire';
import { needStore } from '../need-store.ts';
import { approvePlan, checkHash } from './approve-plan.ts';
import { storeAway } from './by-hand.ts';
import type { PlanContext } from './plan-context.ts';
import { currentView, notice, type PlanRun, type ReadyPlan } from './plan-run.ts';
import { LEASE_MS, resumePlan, runPlan, type RunEnd } from './run-plan.ts';
import { settleIndeterminate } from './settle-indeterminate.ts';
import { undoPlan } from './undo-plan.ts';

/** Who takes a worsening back by himself, for the audit. */
const SELF = 'starr';

/** What could not be told once may be told later; a doctor is not pestered for it. */
const SETTLE_EVERY_MS = 30_000;

/** The plans that this orchestrator is applying or verifying. One run a plan; who asks again follows it. */
export class PlanRuns {
  readonly #context: PlanContext;
  /** From the moment somebody asks, so that two who ask at once share one start. */
  readonly #runs = new Map<string, Promise<PlanRun>>();

  #settleAtMs = -Infinity;

  constructor(context: PlanContext) {
    this.#context = context;
  }

  get running(): number {
    return this.#runs.size;
  }

  /** PLAN_NOT_APPROVED, PLAN_UNKNOWN, REMEDY_BUSY, STORE_UNAVAILABLE (with the native commands) before anything is done. */
  async *apply(
    id: string,
    hash: string,
    actor: string,
    signal: AbortSignal,
  ): AsyncGenerator<ApplyPlanEvent> {
    checkHash(hash);
    const running = this.#runs.get(id);
    const run = await (running ?? this.#enter(id, () => this.#start(id, hash, actor)));
    if (run.plan.sealed.hash !== hash)
      throw new DoctorError('PLAN_NOT_APPROVED', {
        message: `Plan ${id} is in progress with hash ${run.plan.sealed.hash}.`,
      });
    yield { kind: 'started', plan: await currentView(run), joined: running !== undefined };
    yield* run.events.follow(signal);
  }

  /** Takes over what nobody runs: at the start, and when another orchestrator's lease has run out. Never rejects. */
  async recover(): Promise<void> {
    const { store, log } = this.#context;
    if (store === undefined) return;
    try {
      for (const plan of await store.plans.unfinished()) {
        if (this.#runs.has(plan.id)) continue;
        // One that cannot be taken over must not keep the others.
        await this.#enter(plan.id, () => this.#resume(store, plan)).catch((thrown: unknown) => {
          logUnlessExpected(log, `plan ${plan.id} cannot be taken over`, thrown);
        });
      }
      await this.#settle(store);
    } catch (thrown) {
      logUnlessExpected(log, 'recovery failed', thrown);
    }
  }

  async #settle(store: Store): Promise<void> {
    const nowMs = this.#context.clock.monotonicMs();
    if (nowMs < this.#settleAtMs) return;
    this.#settleAtMs = nowMs + SETTLE_EVERY_MS;
    await settleIndeterminate(this.#context, store);
  }

  /** Applies what is approved without anybody who follows. */
  async launch(id: string, hash: string, actor: string): Promise<void> {
    await this.#enter(id, () => this.#start(id, hash, actor));
  }

  #enter(id: string, begin: () => Promise<PlanRun>): Promise<PlanRun> {
    const begun = begin();
    this.#runs.set(id, begun);
    begun.catch(() => this.#runs.delete(id));
    return begun;
  }

  async #start(id: string, hash: string, actor: string): Promise<PlanRun> {
    try {
      const store = needStore(this.#context.store);
      const lease = await this.#lease(store, id);
      const plan = await store.plans.start(id, hash, actor).catch(async (thrown: unknown) => {
        await store.leases.release(lease).catch(() => undefined); // it runs out by itself
        throw thrown;
      });
      return this.#begin(this.#runOf(store, plan), lease, runPlan);
    } catch (thrown) {
      const error = toDoctorError(thrown);
      if (error.code !== 'STORE_UNAVAILABLE') throw error;
      throw storeAway(error, this.#context.recent.get(id)?.sealed);
    }
  }

  async #resume(store: Store, plan: StoredPlan): Promise<PlanRun> {
    const lease = await this.#lease(store, plan.id);
    const now = await store.plans.get(plan.id);
    if (now?.state !== 'applying' && now?.state !== 'verifying') {
      await store.leases.release(lease);
      throw new DoctorError('REMEDY_BUSY', { message: `Plan ${plan.id} has ended meanwhile.` });
    }
    this.#context.log.log('warn', `taking over plan ${plan.id}`, { state: now.state });
    return this.#begin(this.#runOf(store, now), lease, resumePlan);
  }

  async #lease(store: Store, id: string): Promise<Lease> {
    const lease = await store.leases.acquire(`plan/${id}`, this.#context.instance, LEASE_MS);
    if (lease !== undefined) return lease;
    throw new DoctorError('REMEDY_BUSY', {
      message: `Plan ${id} is run by another orchestrator.`,
      details: { plan: id },
    });
  }

  #runOf(store: Store, plan: StoredPlan): PlanRun {
    const ready = readyPlan(plan);
    const member = this.#context.roster.members.find(({ name }) => name === ready.doctor);
    if (member === undefined)
      throw new DoctorError('CONFIG_INVALID', {
        message: `${plan.id} was sealed by ${ready.doctor}, which is not configured any more`,
      });
    this.#context.recent.keep(plan);
    return { context: this.#context, store, plan: ready, member, events: new EventLog() };
  }

  #begin(
    run: PlanRun,
    lease: Lease,
    work: (run: PlanRun, lease: Lease) => Promise<RunEnd>,
  ): PlanRun {
    void this.#finish(run, lease, work(run, lease));
    return run;
  }

  /** Never rejects: a run tells its trouble to those who follow. */
  async #finish(run: PlanRun, lease: Lease, ending: Promise<RunEnd>): Promise<void> {
    const { end, says } = await ending;
    if (end === 'worse' && run.plan.sealed.effect.onMiss === 'undo-if-worse')
      await this.#takeBack(run);
    if (end !== 'broken') run.events.push({ kind: 'ended', plan: await currentView(run), says });
    run.events.close();
    this.#runs.delete(run.plan.id);
    await run.store.leases.release(lease).catch(() => undefined); // it runs out by itself
  }

  /** Opted into by the remedy, and only on measured worsening. */
  async #takeBack(run: PlanRun): Promise<void> {
    const { id } = run.plan;
    const context = this.#context;
    try {
      for await (const event of undoPlan(context, id, SELF, context.stopping)) {
        if (event.kind === 'refused') notice(run, `${id} cannot be taken back: ${event.says}`);
        if (event.kind !== 'plan' || event.plan.sealed === undefined) continue;
        const { hash } = event.plan.sealed;
        const reason = `the effect of ${id} is measurably worse`;
        await approvePlan(context, { plan: event.plan.id, hash, reason }, SELF);
        await this.launch(event.plan.id, hash, SELF);
        notice(run, `${reason}: taken back by ${event.plan.id}`);
      }
    } catch (thrown) {
      notice(run, `${id} could not be taken back: ${toDoctorError(thrown).rawMessage}`);
    }
  }
}

/** Somebody else runs it, or the store is away: both pass. */
function logUnlessExpected(log: Log, message: string, thrown: unknown): void {
  const { code, rawMessage } = toDoctorError(thrown);
  if (code === 'REMEDY_BUSY' || code === 'STORE_UNAVAILABLE') return;
  log.log('error', message, { code, error: rawMessage });
}

function readyPlan(plan: StoredPlan): ReadyPlan {
  const { sealed, doctor } = plan;
  if (sealed === undefined || doctor === undefined)
    throw new TypeError(`${plan.id} is ${plan.state} without a seal`);
  return { ...plan, sealed, doctor };
}
