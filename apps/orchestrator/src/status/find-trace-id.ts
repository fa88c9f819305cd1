import { DoctorError } from '@starr/kernel';
import type { Store } from '@starr/store';
import { invalidField } from '../sweep/sweep-request.ts';

const ALLOWED = '32 hex digits, or at least the first 8 of a recent sweep’s';

/** A sweep prints the beginning of its trace's id; the store knows the rest. */
export async function findTraceId(
  store: Store | undefined,
  environment: string,
  text: string,
): Promise<string> {
  if (/^[0-9a-f]{32}$/.test(text)) return text;
  if (!/^[0-9a-f]{8,31}$/.test(text)) throw invalidField('trace_id', text, ALLOWED);
  const [only, another] = (await store?.sweeps.tracesBeginning(environment, text)) ?? [];
  if (only === undefined) {
    throw new DoctorError('WIRE_INVALID', {
      message: `trace_id is "${text}"; no recent sweep's trace begins so; allowed: ${ALLOWED}`,
      details: { field: 'trace_id', received: text, allowed: ALLOWED },
    });
  }
  if (another !== undefined)
    throw invalidField('trace_id', text, 'more digits: several traces begin so');
  return only;
}
