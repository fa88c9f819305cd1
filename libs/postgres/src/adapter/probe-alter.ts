import type { Limit, Probed } from '@starr/kernel';
import type { AlterConnectionLimitAct, AlterSettingAct } from '../acts/alter.ts';
import { alteredInWords } from '../alter-sql.ts';
import { isFrom, isTo, presentInWords, presentOf } from './alter.ts';
import { valuesOf } from './apply-alter.ts';
import type { HeldSession } from './held-session.ts';

/** The value tells: the new one, the old one, or one that somebody else put there. */
export async function probeAlter(
  act: AlterSettingAct | AlterConnectionLimitAct,
  session: HeldSession,
  limit: Limit,
): Promise<Probed> {
  limit.spend('queries', 1);
  const present = await session.use(limit, (client) => presentOf(client, act));
  if (isTo(present, act)) return { state: 'applied', ...valuesOf(act) };
  const says = `${alteredInWords(act)}: it is ${presentInWords(present)}`;
  return isFrom(present, act)
    ? { state: 'not-applied', says }
    : { state: 'indeterminate', says: `${says}, neither the old nor the new value` };
}
