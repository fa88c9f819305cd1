import type { Read } from '@starr/kernel';
import type { AutoscalersAnswer, KubernetesRequest } from '../request.ts';

/** HorizontalPodAutoscalers of all configured namespaces. */
export const autoscalersRead: Read<AutoscalersAnswer, KubernetesRequest> = {
  id: 'k8s.autoscalers',
  timeoutMs: 3000,
  maxRows: 1000,
  request: () => ({ kind: 'autoscalers' }),
  parse: (raw) => raw as AutoscalersAnswer,
};
