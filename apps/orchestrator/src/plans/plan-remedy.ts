import { randomUUID } from 'node:crypto';
import {
  DoctorError,
  toDoctorError,
  type PlanEvent,
  type PlanRequest,
  type SealedPlan,
} from '@starr/kernel';
import { REPLANNABLE, type Proposal, type Store, type StoredPlan } from '@starr/store';
import { inSpan, SPAN } from '@starr/telemetry';
import type { PlanRemedyEvent, PlanRemedyRequest } from '@starr/wire';
import type { RosterMember } from '../doctors/doctor-roster.ts';
import { needIncident } from '../incidents/read-incidents.ts';
import { needStore } from '../need-store.ts';
import { invalidField } from '../sweep/sweep-request.ts';
import { byHandOf } from './by-hand.ts';
import type { PlanContext } from './plan-context.ts';
import { planView } from './plan-view.ts';

/** What is to be planned, and where its plan will stand. */
export interface Wanted {
  readonly proposal: Proposal;
  /** The proposal that it seals; absent: a new one is made. */
  readonly plan?: string;
  /** Absent, without `plan`: an incident is opened for it. */
  readonly incident?: string;
  /** The sweep that it comes from, which knows what users felt; absent: none. */
  readonly sweep?: string;
  /** Sealed receipts, newest first; absent: no undo. */
  readonly undo?: readonly string[];
}

const DESCRIBE_WITHIN_MS = 700;

/** Reads the pre-state and seals a plan. With the store away the doctor still plans, and its native commands are told. */
export async function* planRemedy(
  context: PlanContext,
  request: PlanRemedyRequest,
  actor: string,
  signal: AbortSignal,
): AsyncGenerator<PlanRemedyEvent> {
  await context.roster.described(DESCRIBE_WITHIN_MS);
  yield* planWanted(context, await wantedFrom(context, request), actor, signal);
}

export async function* planWanted(
  context: PlanContext,
  wanted: Wanted,
  actor: string,
  signal: AbortSignal,
): AsyncGenerator<PlanRemedyEvent> {
  const { remedy, target, params } = wanted.proposal;
  const member = memberFor(context, wanted.proposal);
  const away = storeTrouble(context);
  const request: PlanRequest = {
    remedy,
    target,
    params,
    ...(wanted.undo !== undefined && { undo: wanted.undo }),
  };
  for await (const event of member.doctor.plan(request, signal)) {
    if (event.kind === 'progress') yield event;
    else if (event.kind === 'refused') yield { ...event, byHand: [] };
    else yield await stored(context, wanted, member, event.plan, actor, await away);
  }
}

/** Of the proposal, where one is named; parameters given beside it win. */
async function wantedFrom(context: PlanContext, request: PlanRemedyRequest): Promise<Wanted> {
  if ('plan' in request) {
    const known = await findPlan(context, request.plan);
    if (known.undoOf !== undefined)
      throw new DoctorError('REMEDY_REFUSED', {
        message: `${known.id} takes ${known.undoOf} back; ask for that undo again`,
      });
    const given = request.params ?? {};
    const proposal = { ...known, params: { ...known.params, ...given } };
    // What has acted keeps its number and its journal; the same again is another plan.
    return Object.keys(given).length === 0 && REPLANNABLE.includes(known.state)
      ? { proposal, plan: known.id }
      : {
          proposal,
          incident: known.incident,
          ...(known.sweep !== undefined && { sweep: known.sweep }),
        };
  }
  if (request.remedy === '') throw invalidField('remedy', '', 'the id of a remedy, or a plan');
  const proposal: Proposal = {
    role: 'asked',
    says: `${request.remedy} on ${request.target}`,
    remedy: request.remedy,
    target: request.target,
    params: request.params ?? {},
  };
  if (request.incident === undefined) return { proposal };
  const incident = await needIncident(needStore(context.store), request.incident);
  return { proposal, incident: incident.id };
}

/** From the store; with the store away from what passed here lately. */
export async function findPlan(context: PlanContext, id: string): Promise<StoredPlan> {
  try {
    const plan = await needStore(context.store).plans.get(id);
    if (plan !== undefined) return plan;
  } catch (thrown) {
    const recent = context.recent.get(id);
    if (recent === undefined || toDoctorError(thrown).code !== 'STORE_UNAVAILABLE') throw thrown;
    return recent;
  }
  throw new DoctorError('PLAN_UNKNOWN', {
    message: `no plan ${JSON.stringify(id.slice(0, 64))} is known`,
    details: { field: 'plan' },
  });
}

function memberFor({ roster }: PlanContext, { remedy, target }: Proposal): RosterMember {
  const member = roster.memberOfId(remedy);
  if (member === undefined) {
    const allowed = roster.members.flatMap(({ prefixes }) => prefixes.map((each) => `${each}*`));
    throw new DoctorError('REMEDY_UNKNOWN', {
      message: `remedy is ${JSON.stringify(remedy.slice(0, 100))}; allowed: ${allowed.join(', ')}`,
      details: { field: 'remedy' },
    });
  }
  const holder = roster.memberOfTarget(target);
  if (holder !== undefined && holder !== member)
    throw new DoctorError('TARGET_UNKNOWN', {
      message: `${target} is a target of ${holder.name}, ${remedy} a remedy of ${member.name}`,
      details: { field: 'target' },
    });
  return member;
}

/** Undefined: the store can be used. Never rejects. */
async function storeTrouble(context: PlanContext): Promise<DoctorError | undefined> {
  try {
    await needStore(context.store).ping();
    return undefined;
  } catch (thrown) {
    return toDoctorError(thrown);
  }
}

async function stored(
  context: PlanContext,
  wanted: Wanted,
  member: RosterMember,
  sealed: SealedPlan,
  actor: string,
  trouble: DoctorError | undefined,
): Promise<PlanRemedyEvent> {
  checkSealed(wanted, member, sealed);
  if (trouble !== undefined) return refusedByStore(trouble, sealed);
  try {
    const store = needStore(context.store);
    const id = wanted.plan ?? (await proposeAnew(context, store, wanted, actor));
    const plan = await inSpan(SPAN.plan(sealed.remedy), {}, () =>
      store.plans.seal(id, member.name, sealed, actor),
    );
    context.recent.keep(plan);
    return { kind: 'plan', plan: planView(plan, []) };
  } catch (thrown) {
    const error = toDoctorError(thrown);
    if (error.code !== 'STORE_UNAVAILABLE') throw error;
    return refusedByStore(error, sealed);
  }
}

function refusedByStore(trouble: DoctorError, sealed: SealedPlan): PlanRemedyEvent {
  return {
    kind: 'refused',
    says: `${trouble.rawMessage} Nothing is applied without its journal; by hand it still can be done.`,
    blind: [],
    byHand: byHandOf(sealed),
  };
}

/** A doctor that answers another question than the one asked must not get its plan approved. */
function checkSealed(
  { proposal }: Wanted,
  { name }: RosterMember,
  sealed: Extract<PlanEvent, { kind: 'plan' }>['plan'],
): void {
  if (sealed.remedy === proposal.remedy && sealed.target === proposal.target) return;
  throw new DoctorError('EVIDENCE_MALFORMED', {
    message: `${name} planned ${sealed.remedy} on ${sealed.target} when asked for ${proposal.remedy} on ${proposal.target}`,
  });
}

async function proposeAnew(
  context: PlanContext,
  store: Store,
  { proposal, incident, sweep }: Wanted,
  actor: string,
): Promise<string> {
  const belongsTo =
    incident ??
    (
      await store.incidents.open({
        environment: context.environment,
        openedBy: { kind: 'person', name: actor },
        fingerprint: `asked|${randomUUID()}`,
        title: proposal.says,
      })
    ).id;
  const [plan] = await store.plans.propose(belongsTo, sweep, [proposal]);
  if (plan === undefined) throw new TypeError('a proposal without a plan');
  return plan.id;
}
