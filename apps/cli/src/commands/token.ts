import { Command } from 'commander';
import { readConfigOf, type CommandContext } from '../command-context.ts';

export function tokenCommand(context: CommandContext): Command {
  return new Command('token')
    .description('print the loopback credential that other tools send as "authorization: Bearer …"')
    .action(async () => {
      const { token } = await readConfigOf(context);
      context.terminal.print(token);
    });
}
