import { DoctorError, toDoctorError, type Outcome } from '@starr/kernel';
import { parseInfo } from '../reads/parse-info.ts';
import type { RedisAct, SetEvictionPolicy } from '../request.ts';
import type { RedisAnswer, RedisConnection } from './connect.ts';
import type { Deadline } from './deadline.ts';

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
  // In one go, so that the old value in the receipt is the one that was replaced: Redis carries out what stands in
  // one buffer without a break. Not in MULTI: a server that is out of memory queues nothing, and that one needs this.
  try {
    const answers = await connection.send(
      [
        ['CONFIG', 'GET', 'maxmemory-policy'],
        ['CONFIG', 'SET', 'maxmemory-policy', policy],
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
    return undefined;
  } catch (error) {
    return { kind: 'outcome', outcome: 'failed', says: messageOf(error) };
  }
}

function outcomeFrom([get, set]: readonly RedisAnswer[], policy: string, guard: Standing): Outcome {
  if (set?.ok === false && !isLost(set.error))
    return { kind: 'outcome', outcome: 'failed', says: messageOf(set.error) };
  if (set?.ok !== true) return lost(set?.error);
  const before = get?.ok === true && Array.isArray(get.reply) ? String(get.reply[1]) : guard.policy;
  const change = { before: { policy: before }, after: { policy } };
  if (before === guard.policy) return { kind: 'outcome', outcome: 'applied', ...change };
  return {
    kind: 'outcome',
    outcome: 'partial',
    says: `somebody set maxmemory-policy to ${before} in the moment before; that was replaced`,
    ...change,
  };
}

function refused(says: string): Outcome {
  return { kind: 'outcome', outcome: 'refused', says };
}

/** The command may have reached the server: only a probe can tell. */
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
