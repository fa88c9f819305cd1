import type { Json, Receipt } from '@starr/kernel';
import type { RevisionRef } from '../request.ts';

/** What a receipt of k8s.rollback says that an undo needs. */
export interface UndoTarget {
  readonly namespace: string;
  readonly deployment: string;
  readonly left: RevisionRef;
  readonly reachedTemplateHash: string;
}

/** Undefined: not a receipt of a rollback. */
export function undoTarget({ act }: Receipt): UndoTarget | undefined {
  const namespace = textAt(act, 'namespace');
  const deployment = textAt(act, 'deployment');
  const left = refFrom(memberOf(act, 'from'));
  const reached = refFrom(memberOf(act, 'to'));
  if (namespace === undefined || deployment === undefined || !left || !reached) return undefined;
  return { namespace, deployment, left, reachedTemplateHash: reached.templateHash };
}

function refFrom(value: Json | undefined): RevisionRef | undefined {
  const revision = memberOf(value, 'revision');
  const replicaSet = textAt(value, 'replicaSet');
  const replicaSetUid = textAt(value, 'replicaSetUid');
  const templateHash = textAt(value, 'templateHash');
  if (typeof revision !== 'number' || replicaSet === undefined) return undefined;
  if (replicaSetUid === undefined || templateHash === undefined) return undefined;
  return { revision, replicaSet, replicaSetUid, templateHash };
}

function textAt(value: Json | undefined, name: string): string | undefined {
  const member = memberOf(value, name);
  return typeof member === 'string' ? member : undefined;
}

function memberOf(value: Json | undefined, name: string): Json | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return (value as Readonly<Record<string, Json | undefined>>)[name];
}
