import { Command } from 'commander';
import { withOrchestrator, type CommandContext } from '../command-context.ts';
import { traceText } from '../render/trace-text.ts';

export function traceCommand(context: CommandContext): Command {
  return new Command('trace')
    .description('one trace from Jaeger as a tree')
    .argument('<trace-id>', '32 hex digits, or the beginning that a sweep printed')
    .option('--json', 'the spans as JSON')
    .action(async (traceId: string, { json = false }: { json?: boolean }) => {
      const spans = await withOrchestrator(context, (orchestrator) =>
        orchestrator.getTrace(traceId),
      );
      context.terminal.print(json ? JSON.stringify(spans, null, 2) : traceText(spans));
    });
}
