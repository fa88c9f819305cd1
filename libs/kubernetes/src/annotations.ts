/** What this doctor writes on a Deployment that it acts on, so that a probe can tell our act from others'. */
export const OPERATION_ANNOTATION = 'starr.dev/operation';
/** Name of the ReplicaSet that the last rollback of ours left: going back and forth between two is no remedy. */
export const LEFT_ANNOTATION = 'starr.dev/left';
export const CHANGE_CAUSE_ANNOTATION = 'kubernetes.io/change-cause';
/** Stands in managedFields: the audit trail of the API server. */
export const FIELD_MANAGER = 'k8s-doctor';
