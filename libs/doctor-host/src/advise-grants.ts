import {
  DoctorError,
  isBlindSpot,
  type BlindSpot,
  type Clock,
  type GrantsAdvice,
  type GrantsAdvisor,
} from '@starr/kernel';
import { startReading, type TargetState } from './examine.ts';

export interface AdviseContext {
  readonly advisor: GrantsAdvisor | undefined;
  readonly states: readonly TargetState[];
  readonly clock: Clock;
  readonly pairGapMs: number;
}

const BUDGET_MS = 3000;

/** What the target's roles need and lack, from a fresh look. */
export async function adviseGrants(
  context: AdviseContext,
  name: string,
  signal: AbortSignal,
): Promise<GrantsAdvice> {
  const { advisor, states, clock } = context;
  const state = states.find(({ target }) => target.name === name);
  if (!state) {
    const allowed = states.map(({ target }) => target.name).join(', ') || 'none is configured';
    throw new DoctorError('TARGET_UNKNOWN', {
      message: `target is ${JSON.stringify(name)}; allowed: ${allowed}`,
      details: { field: 'target', received: name, allowed },
    });
  }
  if (!advisor)
    throw new DoctorError('TARGET_UNSUPPORTED', { message: `nothing can be granted on ${name}` });
  const reading = startReading(
    context,
    state,
    { windowMs: 60_000, evidenceNotBefore: clock.now() },
    BUDGET_MS,
    signal,
  );
  const look = await reading.look();
  if (isBlindSpot(look)) throw unseen(look);
  const entries = await Promise.all(
    Object.entries(advisor.reads).map(
      async ([key, read]) => [key, read, (await reading.see(read)).value] as const,
    ),
  );
  for (const [, read, value] of entries)
    if (isBlindSpot(value) && read.wrap?.as !== 'optional') throw unseen(value);
  return advisor.advise(
    Object.fromEntries(entries.map(([key, , value]) => [key, value])) as never,
    look,
  );
}

function unseen({ why, detail, cure }: BlindSpot): DoctorError {
  const code =
    why === 'timeout'
      ? 'EVIDENCE_TIMEOUT'
      : why === 'denied'
        ? 'TARGET_DENIED'
        : 'TARGET_UNREACHABLE';
  return new DoctorError(code, {
    message: detail,
    ...(cure !== undefined && { details: { cure } }),
  });
}
