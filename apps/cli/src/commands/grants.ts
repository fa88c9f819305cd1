import { Command } from 'commander';
import type { GrantsAdvice } from '@starr/kernel';
import { readConfigOf, type CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { connectDoctorOf } from '../services.ts';

export function grantsCommand(context: CommandContext): Command {
  return new Command('grants')
    .description('exactly what the configured checks need on a target, and what they lack')
    .argument('<target>', 'its name in starr.yaml')
    .option('--all', 'also what is there already')
    .option('--json', 'the advice as JSON')
    .action(
      async (target: string, { all = false, json = false }: { all?: boolean; json?: boolean }) => {
        const doctor = connectDoctorOf(target, await readConfigOf(context));
        try {
          const advice = await doctor.grants(target, context.signal);
          context.terminal.print(
            json ? JSON.stringify(advice, null, 2) : grantsText(target, advice, all),
          );
          context.endWith(advice.lacking.length === 0 ? EXIT.seen : EXIT.blind);
        } finally {
          doctor.close();
        }
      },
    );
}

/** Notes are comments of the language, so that the whole can be piped into psql, redis-cli or a shell. */
export function grantsText(target: string, advice: GrantsAdvice, all: boolean): string {
  const comment = advice.language === 'sql' ? '--' : '#';
  const lacking =
    advice.lacking.length === 0
      ? [`${comment} ${target}: nothing is lacking`]
      : [`${comment} ${target}: lacking`, ...advice.lacking];
  if (!all) return lacking.join('\n');
  return [
    `${comment} for looking`,
    ...advice.diagnosing,
    `${comment} for acting, on the second credential`,
    ...advice.acting,
    ...lacking,
  ].join('\n');
}
