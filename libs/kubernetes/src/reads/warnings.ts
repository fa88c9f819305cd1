import type { BlindSpot, Read } from '@starr/kernel';
import { warningsByObject, type Warnings } from '../model/warnings.ts';
import type { KubernetesRequest, WarningsAnswer } from '../request.ts';

export interface SeenWarnings {
  readonly byObject: Warnings;
  readonly blind: readonly BlindSpot[];
}

/** Events of type Warning; the API server keeps them for an hour unless told otherwise. */
export const warningsRead: Read<SeenWarnings, KubernetesRequest> = {
  id: 'k8s.warnings',
  timeoutMs: 3000,
  maxRows: 1000,
  request: () => ({ kind: 'warnings' }),
  parse: (raw) => {
    const answer = raw as WarningsAnswer;
    return { byObject: warningsByObject(answer), blind: answer.blind };
  },
};
