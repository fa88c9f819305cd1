import type { Read } from '@starr/kernel';
import { ACTING_NEEDS, DIAGNOSING_NEEDS } from '../grants/needs.ts';
import type { AccessAnswer, KubernetesRequest } from '../request.ts';

/** What the two accounts may do of what they need, as the API server itself answers. */
export const accessRead: Read<AccessAnswer, KubernetesRequest> = {
  id: 'k8s.access',
  timeoutMs: 4000,
  maxRows: 1000,
  request: () => ({ kind: 'access', diagnosing: DIAGNOSING_NEEDS, acting: ACTING_NEEDS }),
  parse: (raw) => raw as AccessAnswer,
};
