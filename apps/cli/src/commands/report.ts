import { Command, Option } from 'commander';
import { withOrchestrator, type CommandContext } from '../command-context.ts';

export function reportCommand(context: CommandContext): Command {
  return new Command('report')
    .description('the STARR record of an incident: Situation, Task, Action, Result, Reflection')
    .argument('<incident>', 'such as INC-7')
    .addOption(
      new Option('--format <format>', 'how').choices(['markdown', 'json']).default('markdown'),
    )
    .action(async (incident: string, { format }: { format: 'markdown' | 'json' }) => {
      const detail = await withOrchestrator(context, (orchestrator) =>
        orchestrator.getIncident(incident),
      );
      context.terminal.print(format === 'json' ? detail.recordJson : detail.recordMarkdown);
    });
}
