import { DoctorError, type SealedPlan } from '@starr/kernel';

/** The native commands of a plan, in order. */
export function byHandOf(sealed: SealedPlan | undefined): readonly string[] {
  return sealed?.operations.map(({ byHand }) => byHand) ?? [];
}

/** With the store away nothing is applied: the journal would not know. The commands go with the refusal. */
export function storeAway(cause: DoctorError, sealed: SealedPlan | undefined): DoctorError {
  const commands = byHandOf(sealed);
  return new DoctorError('STORE_UNAVAILABLE', {
    message: `${cause.rawMessage} Nothing is applied without its journal.`,
    cause,
    details: { ...cause.details, ...(commands.length > 0 && { byHand: commands.join('\n') }) },
  });
}
