import type { Json, Outcome, Probed, Progress } from '@starr/kernel';
import type { BreakerView } from '../policy-view.ts';
import type { ResetBreaker, SeenBreaker } from '../request.ts';
import type { Fleet, FleetAnswer } from './fleet.ts';

type Commands = Pick<Fleet, 'command' | 'waitForAttached'>;

interface Answered {
  readonly instance: string;
  readonly answer: FleetAnswer;
}

/** Each process answers for itself; what became of the whole is told from all their answers. */
export async function* resetInFleet(
  fleet: Commands,
  act: ResetBreaker,
  operationId: string,
  withinMs: number,
): AsyncGenerator<Progress | Outcome> {
  const sent = act.processes.map((seen) => send(fleet, act, seen, operationId, withinMs));
  const answered: Answered[] = [];
  for (const one of sent) {
    const answer = await one;
    answered.push(answer);
    yield {
      kind: 'progress',
      says: `${act.service}/${answer.instance}: ${inWords(answer.answer)}`,
      ratio: answered.length / sent.length,
    };
  }
  yield outcomeOf(act, answered);
}

/** Asks the same processes what became of it. One that never got it will not execute it any more. */
export async function recallFromFleet(
  fleet: Commands,
  act: ResetBreaker,
  operationId: string,
  withinMs: number,
): Promise<Probed> {
  const instances = act.processes.map(({ instance }) => instance);
  // a service that was just started knows no process yet: they come back within seconds
  const halfMs = withinMs / 2;
  await fleet.waitForAttached(act.service, instances, halfMs);
  const answered = await Promise.all(
    instances.map(async (instance): Promise<Answered> => {
      const recall = { kind: 'recall', commandId: operationId } as const;
      const id = `recall-${operationId}`;
      return { instance, answer: await fleet.command(act.service, instance, id, recall, halfMs) };
    }),
  );
  const unheard = answered.filter(({ answer }) => isUnheard(answer));
  const done = answered.filter(({ answer }) => answer.kind === 'done');
  if (done.length > 0 && unheard.every(({ answer }) => answer.kind === 'not-attached')) {
    return { state: 'applied', ...statesOf(done) };
  }
  return unheard.length > 0
    ? { state: 'indeterminate', says: `no answer from ${listOf(unheard)}` }
    : { state: 'not-applied', says: answered.map(lineOf).join('; ') };
}

async function send(
  fleet: Commands,
  act: ResetBreaker,
  { instance, epoch, state }: SeenBreaker,
  operationId: string,
  withinMs: number,
): Promise<Answered> {
  const command = { kind: 'reset-breaker', breaker: act.breaker, epoch, state } as const;
  return {
    instance,
    answer: await fleet.command(act.service, instance, operationId, command, withinMs),
  };
}

function outcomeOf(act: ResetBreaker, answered: readonly Answered[]): Outcome {
  const kind = 'outcome';
  const lost = answered.filter(({ answer }) => answer.kind === 'no-answer');
  if (lost.length > 0) {
    const says = `no acknowledgement from ${listOf(lost)}`;
    return { kind, outcome: 'indeterminate', says };
  }
  const done = answered.filter(({ answer }) => answer.kind === 'done');
  const says = answered.map(lineOf).join('; ');
  if (done.length === 0) return { kind, outcome: 'refused', says };
  return done.length === act.processes.length
    ? { kind, outcome: 'applied', ...statesOf(done) }
    : { kind, outcome: 'partial', says, ...statesOf(done) };
}

function isUnheard({ kind }: FleetAnswer): boolean {
  return kind === 'no-answer' || kind === 'not-attached';
}

function statesOf(done: readonly Answered[]): { readonly before: Json; readonly after: Json } {
  const of = (which: 'before' | 'after') => ({
    processes: done.flatMap(({ instance, answer }) =>
      answer.kind === 'done' ? [{ instance, ...stateOf(answer[which]) }] : [],
    ),
  });
  return { before: of('before'), after: of('after') };
}

function stateOf(breaker: BreakerView): Readonly<Record<string, Json>> {
  const { state, epoch, windowCalls, windowFailures } = breaker;
  return { state, epoch, windowCalls, windowFailures };
}

function listOf(answered: readonly Answered[]): string {
  return answered.map(({ instance }) => instance).join(', ');
}

function lineOf({ instance, answer }: Answered): string {
  return `${instance}: ${inWords(answer)}`;
}

function inWords(answer: FleetAnswer): string {
  switch (answer.kind) {
    case 'done':
      return `acknowledged, ${answer.before.state} → ${answer.after.state}`;
    case 'refused':
      return `refused, the breaker has moved on: ${answer.now.state}, epoch ${answer.now.epoch}`;
    case 'not-done':
      return `not done, ${answer.says}`;
    case 'not-attached':
      return 'not attached any more, its breaker went with it';
    case 'no-answer':
      return 'no acknowledgement';
  }
}
