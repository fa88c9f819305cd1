import {
  toDoctorError,
  type Clock,
  type DoctorError,
  type Json,
  type Limit,
  type Outcome,
  type Progress,
} from '@starr/kernel';
import { FIELD_MANAGER } from '../annotations.ts';
import type { KubernetesAct, RollbackAct } from '../request.ts';
import type { Asker } from './ask.ts';
import { awaitRollout } from './await-rollout.ts';
import { wordsOf } from './k8s-error.ts';
import type { Looking } from './list-everywhere.ts';
import { afterOf, beforeOf, probeAct } from './probe.ts';
import { readDeployment, readReplicaSet } from './read-objects.ts';
import { pathOf, permissionOf, RESOURCES } from './resources.ts';
import { changedSince, rollbackPatch } from './rollback-patch.ts';
import { saveEvidence } from './save-evidence.ts';

export interface Acting {
  /** Asks with the acting credential. */
  readonly ask: Asker;
  /** Looks with the diagnosing one: the acting account need not read pods. */
  readonly looking: Looking;
  readonly clock: Clock;
  /** Ends the waiting, never the act. */
  readonly stop: AbortSignal;
}

const PATCH_WITHIN_MS = 10_000;
/** Kept of the limit, so that the outcome is out before it ends. */
const RESERVE_MS = 2000;

/** The only code that changes a cluster. One outcome, last. */
export async function* applyAct(
  acting: Acting,
  act: KubernetesAct,
  operationId: string,
  limit: Limit,
): AsyncGenerator<Progress | Outcome> {
  switch (act.kind) {
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- one kind so far; a second one must not compile without its case
    case 'rollback':
      yield* applyRollback(acting, act, operationId, limit);
  }
}

async function* applyRollback(
  acting: Acting,
  act: RollbackAct,
  operationId: string,
  limit: Limit,
): AsyncGenerator<Progress | Outcome> {
  const { clock } = acting;
  const endsMs = clock.monotonicMs() + Math.min(act.waitMs, limit.timeoutMs) - RESERVE_MS;
  yield progress(`saving last states and logs of revision ${act.from.revision}`);
  const evidence = await saveEvidence(acting.looking, act, limit);
  yield progress(`setting the template back to that of revision ${act.to.revision}`);
  const patched = await patchOnce(acting, act, operationId, limit);
  if (patched !== 'patched') {
    yield patched;
    return;
  }
  const until = { atMs: endsMs, stop: acting.stop };
  const rollout = yield* awaitRollout(acting.ask, act, until, clock, limit);
  const receipt = { before: beforeOf(act, evidence), after: afterOf(rollout.deployment) };
  yield rollout.end === 'done'
    ? { kind: 'outcome', outcome: 'applied', ...receipt }
    : { kind: 'outcome', outcome: 'partial', says: rollout.says, ...receipt };
}

function progress(says: string): Progress {
  return { kind: 'progress', says };
}

/** Reads, compares, writes. `patched`: it is written for certain, by this request or, after a lost answer, by the probe's word. */
async function patchOnce(
  acting: Acting,
  act: RollbackAct,
  operationId: string,
  limit: Limit,
): Promise<'patched' | Outcome> {
  let patch: readonly Json[];
  try {
    const deployment = await readDeployment(acting.ask, act, limit);
    const replicaSet = await readReplicaSet(acting.ask, act, limit);
    const changed = changedSince(act, deployment, replicaSet);
    if (changed !== undefined) return ended('refused', changed);
    patch = rollbackPatch(act, operationId, deployment, replicaSet);
  } catch (thrown) {
    return beforeTheAct(toDoctorError(thrown));
  }
  try {
    return await sendPatch(acting, act, patch, limit);
  } catch (thrown) {
    return afterLostAnswer(acting, act, operationId, toDoctorError(thrown), limit);
  }
}

async function sendPatch(
  { ask }: Acting,
  { namespace, deployment }: RollbackAct,
  patch: readonly Json[],
  limit: Limit,
): Promise<'patched' | Outcome> {
  const answer = await ask(
    {
      method: 'PATCH',
      path: pathOf(RESOURCES.deployments, namespace, deployment),
      query: { fieldManager: FIELD_MANAGER, timeout: `${PATCH_WITHIN_MS / 1000}s` },
      body: JSON.stringify(patch),
      contentType: 'application/json-patch+json',
      signal: AbortSignal.timeout(PATCH_WITHIN_MS),
      what: `patch deployments ${namespace}/${deployment}`,
      spends: 'writes',
      permission: permissionOf('patch', RESOURCES.deployments, namespace),
      // a test that failed is answered with 422, an object that is gone with 404: nothing was done
      accepts: [400, 404, 409, 422],
    },
    limit,
  );
  if (answer.status < 300) return 'patched';
  return ended(
    answer.status === 400 ? 'failed' : 'refused',
    `the API server answered ${answer.status}: ${wordsOf(answer)}`,
  );
}

/** Nothing was sent yet. */
function beforeTheAct(error: DoctorError): Outcome {
  const gone = error.code === 'TARGET_UNSUPPORTED';
  return ended(gone ? 'refused' : 'failed', withCure(error));
}

/** Codes of a connection that never came to be. */
const NEVER_SENT: ReadonlySet<unknown> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH']);

function wasNeverSent({ code, cause }: DoctorError): boolean {
  if (code === 'TARGET_DENIED' || code === 'TARGET_BUSY') return true;
  return (
    typeof cause === 'object' && cause !== null && 'code' in cause && NEVER_SENT.has(cause.code)
  );
}

/** Turned away, it did not happen. Whatever else came instead of an answer, only the object can tell. */
async function afterLostAnswer(
  { ask, clock }: Acting,
  act: RollbackAct,
  operationId: string,
  error: DoctorError,
  limit: Limit,
): Promise<'patched' | Outcome> {
  if (wasNeverSent(error)) return ended('failed', withCure(error));
  try {
    const probed = await probeAct(ask, act, operationId, clock, limit);
    if (probed.state === 'applied') return 'patched';
    if (probed.state === 'not-applied')
      return ended('failed', `${error.rawMessage}; ${probed.says}`);
    return ended('indeterminate', `${error.rawMessage}; ${probed.says}`);
  } catch (thrown) {
    return ended('indeterminate', `${error.rawMessage}; then ${toDoctorError(thrown).rawMessage}`);
  }
}

function withCure({ rawMessage, details }: DoctorError): string {
  const cure = details['cure'];
  return cure === undefined ? rawMessage : `${rawMessage}; cure: ${cure}`;
}

function ended(outcome: 'refused' | 'failed' | 'indeterminate', says: string): Outcome {
  return { kind: 'outcome', outcome, says };
}
