import { durationText } from '@starr/kernel';
import type { OpenTransaction } from './reads/open-transactions.ts';

/** A transaction that is open for so long may well stay; a younger one is waited for. */
export const OLD_TRANSACTION_MS = 5000;
const MOST_NAMED = 5;

/**
 * Who an index build on this table would wait for, by pid: those that have written it, and those with a snapshot,
 * whatever they read. undefined: nobody that has been there for long.
 */
export function whoHoldsUp(
  transactions: readonly OpenTransaction[],
  tableOid: string,
): string | undefined {
  const holders = transactions
    .filter(({ openMs }) => openMs >= OLD_TRANSACTION_MS)
    .flatMap((transaction) => {
      if (transaction.writes.includes(tableOid))
        return [`${inWords(transaction)} has written the table`];
      return transaction.hasSnapshot ? [`${inWords(transaction)} holds an older snapshot`] : [];
    });
  if (holders.length === 0) return undefined;
  const more = holders.length > MOST_NAMED ? ` and ${holders.length - MOST_NAMED} more` : '';
  return `it would wait for transactions that are open already, and leave an invalid index if they stay: ${holders
    .slice(0, MOST_NAMED)
    .join('; ')}${more}`;
}

function inWords({ pid, application, openMs }: OpenTransaction): string {
  const name = application === '' ? '' : ` (${application})`;
  return pid === 0
    ? `the prepared transaction ${application}, open for ${durationText(openMs)},`
    : `pid ${pid}${name}, open for ${durationText(openMs)},`;
}
