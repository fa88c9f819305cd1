import type { Json, Outcome } from '@starr/kernel';
import type { Client } from 'pg';
import type { AlterConnectionLimitAct, AlterSettingAct } from '../acts/alter.ts';
import { alterSql, alteredInWords } from '../alter-sql.ts';
import type { ActContext, ActEvents } from './act-context.ts';
import { isFrom, presentInWords, presentOf } from './alter.ts';
import { answeredWithin } from './answered-within.ts';
import { failed } from './failed.ts';
import { doctorErrorFromPg } from './pg-error.ts';

const ANSWER_WITHIN_MS = 4000;
const LOCK_TIMEOUT_MS = 1000;

/** Compares and alters in one transaction: until COMMIT is sent, a lost answer means that nothing was done. */
export async function* applyAlter(
  act: AlterSettingAct | AlterConnectionLimitAct,
  client: Client,
  context: ActContext,
): ActEvents {
  await Promise.resolve();
  const ask = (sql: string) => answeredWithin(client.query(sql), ANSWER_WITHIN_MS);
  let isCommitting = false;
  try {
    await ask(
      `BEGIN; SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}; SET LOCAL statement_timeout = ${ANSWER_WITHIN_MS}`,
    );
    const present = await answeredWithin(presentOf(client, act), ANSWER_WITHIN_MS);
    if (!isFrom(present, act) || context.isCancelled()) {
      await ask('ROLLBACK');
      yield isFrom(present, act)
        ? failed('nothing was done: it was cancelled')
        : refused(
            `${alteredInWords(act)} has changed since the plan: it is ${presentInWords(present)} now`,
          );
      return;
    }
    await ask(alterSql(act));
    isCommitting = true;
    await ask('COMMIT');
    yield { kind: 'outcome', outcome: 'applied', ...valuesOf(act) };
  } catch (thrown) {
    const error = doctorErrorFromPg(thrown, context.role);
    if (isCommitting) {
      yield {
        kind: 'outcome',
        outcome: 'indeterminate',
        says: `whether it took place is not known: ${error.rawMessage}`,
      };
      return;
    }
    // Answered in time or not: what was not committed is rolled back with the session, if not before.
    await ask('ROLLBACK').catch(() => undefined);
    yield failed(`nothing was done: ${error.rawMessage}`, error.details['cure']);
  }
}

/** For the receipt: what it was, what it is. `null`: not set there. */
export function valuesOf(act: AlterSettingAct | AlterConnectionLimitAct): {
  before: Json;
  after: Json;
} {
  return { before: { value: act.from ?? null }, after: { value: act.to ?? null } };
}

function refused(says: string): Outcome {
  return { kind: 'outcome', outcome: 'refused', says: `nothing was done: ${says}` };
}
