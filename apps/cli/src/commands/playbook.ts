import { Command } from 'commander';
import { withOrchestrator, type CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { table } from '../render/table.ts';

export function playbookCommand(context: CommandContext): Command {
  return new Command('playbook')
    .description('the patterns of causes')
    .addCommand(checkCommand(context));
}

function checkCommand(context: CommandContext): Command {
  return new Command('check')
    .description('which are awake, which are dormant and why, and what is wrong with a file')
    .action(async () => {
      const { playbooks, problems } = await withOrchestrator(context, (orchestrator) =>
        orchestrator.checkPlaybooks(),
      );
      const rows = playbooks.map(({ id, title, dormantBecause }) => [
        dormantBecause === undefined ? 'awake  ' : 'dormant',
        id,
        dormantBecause ?? title,
      ]);
      context.terminal.print(table(rows));
      for (const problem of problems) context.terminal.print(problem);
      context.endWith(problems.length === 0 ? EXIT.seen : EXIT.failed);
    });
}
