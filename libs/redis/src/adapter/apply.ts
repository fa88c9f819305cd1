import { DoctorError, maskText, toDoctorError, type Outcome } from '@starr/kernel';
import { parseInfo } from '../reads/parse-info.ts';
import type { RedisAct, SetEvictionPolicy } from '../request.ts';
import type { RedisAnswer, RedisConnection } from './connect.ts';
import type { Deadline } from './deadline.ts';
import { one } from './one.ts';

/** The only code that changes a server. */
export async function apply(
  act: RedisAct,
  operationId: string,
  connection: RedisConnection,
  deadline: Deadline,
): Promise<Outcome> {
  switch (act.kind) {
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- one kind so far; a second one must not compile without its case
    case 'set-eviction-policy':
      return setEvictionPolicy(act, operationId, connection, deadline);
  }
}

/** What the guard compares. */
export interface Standing {
  readonly runId: string;
  readonly policy: string;
}

export function standingFrom(info: unknown): Standing {
  const fields = parseInfo(String(info));
  return { runId: fields.text('run_id') ?? '', policy: fields.text('maxmemory_policy') ?? '' };
}

/** The name of the connection while it acts: a probe finds it by this, also from another process. */
export function connectionName(operationId: string): string {
  return `starr-act-${operationId.replace(/[^\w.-]/g, '_')}`;
}

async function setEvictionPolicy(
  { policy, guard }: SetEvictionPolicy,
  operationId: string,
  connection: RedisConnection,
  deadline: Deadline,
): Promise<Outcome> {
  const refusal = await beforeAct(guard, operationId, connection, deadline);
  if (refusal !== undefined) return refusal;
  try {
    const answers = await connection.send(
      [
        ['CONFIG', 'GET', 'maxmemory-policy'],
        ['CONFIG', 'SET', 'maxmemory-policy', policy],
        ['EXEC'],
      ],
      deadline,
    );
    return outcomeFrom(answers, policy, guard);
  } catch (error) {
    return lost(error);
  }
}

/** Everything that can go wrong here has changed nothing. */
async function beforeAct(
  guard: Standing,
  operationId: string,
  connection: RedisConnection,
  deadline: Deadline,
): Promise<Outcome | undefined> {
  try {
    const [, info] = await connection.send(
      [['CLIENT', 'SETNAME', connectionName(operationId)], ['INFO']],
      deadline,
    );
    if (info?.ok !== true) throw info?.error ?? new DoctorError('INTERNAL');
    const now = standingFrom(info.reply);
    if (now.runId !== guard.runId)
      return refused('the server restarted since the plan was made (its run_id differs)');
    if (now.policy !== guard.policy)
      return refused(
        `maxmemory-policy is ${now.policy} by now, the plan was made at ${guard.policy}`,
      );
    // One transaction, so that the old value in the receipt is the one that was replaced. It begins only here, and
    // alone: were MULTI refused, what follows it would be carried out at once.
    await one(connection, ['MULTI'], deadline);
    return undefined;
  } catch (error) {
    return { kind: 'outcome', outcome: 'failed', says: messageOf(error) };
  }
}

function outcomeFrom(answers: readonly RedisAnswer[], policy: string, guard: Standing): Outcome {
  const [get, set, exec] = answers;
  // A command that may not be queued makes EXEC carry out nothing.
  for (const queued of [get, set])
    if (queued?.ok === false && !isLost(queued.error))
      return { kind: 'outcome', outcome: 'failed', says: messageOf(queued.error) };
  if (exec?.ok === false && !isLost(exec.error))
    return { kind: 'outcome', outcome: 'failed', says: messageOf(exec.error) };
  if (exec?.ok !== true) return lost(exec?.error);
  const [before, done] = exec.reply as readonly [unknown, unknown];
  if (done !== 'OK')
    return {
      kind: 'outcome',
      outcome: 'failed',
      says: `CONFIG SET answered: ${maskText(String(done))}`,
    };
  const replaced = Array.isArray(before) ? String(before[1]) : guard.policy;
  const change = { before: { policy: replaced }, after: { policy } };
  if (replaced === guard.policy) return { kind: 'outcome', outcome: 'applied', ...change };
  return {
    kind: 'outcome',
    outcome: 'partial',
    says: `somebody set maxmemory-policy to ${replaced} in the moment before; that was replaced`,
    ...change,
  };
}

function refused(says: string): Outcome {
  return { kind: 'outcome', outcome: 'refused', says };
}

/** The transaction may have reached the server: only a probe can tell. */
function lost(error: unknown): Outcome {
  return { kind: 'outcome', outcome: 'indeterminate', says: messageOf(error) };
}

/** No answer came, as opposed to one that refuses. */
function isLost({ code }: DoctorError): boolean {
  return code === 'TARGET_UNREACHABLE' || code === 'EVIDENCE_TIMEOUT' || code === 'INTERNAL';
}

function messageOf(thrown: unknown): string {
  const { rawMessage, details } = toDoctorError(thrown);
  const cure = details['cure'];
  return cure === undefined ? rawMessage : `${rawMessage}; cure: ${cure}`;
}
