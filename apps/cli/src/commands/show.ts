import { Command } from 'commander';
import { withOrchestrator, type CommandContext } from '../command-context.ts';
import { answerText } from '../render/answer-text.ts';
import { planText } from '../render/plan-text.ts';
import { table } from '../render/table.ts';

export function showCommand(context: CommandContext): Command {
  return new Command('show')
    .description('incidents; one of them with its answer and plans; one plan')
    .argument('[id]', 'INC-7, or INC-7.2')
    .option('--all', 'also the healthy checks')
    .option('--json', 'as JSON')
    .action(
      async (
        id: string | undefined,
        { all = false, json = false }: { all?: boolean; json?: boolean },
      ) => {
        await withOrchestrator(context, async (orchestrator) => {
          const { terminal } = context;
          const asJson = (value: unknown) =>
            JSON.stringify(
              value,
              (_key, each: unknown) => (typeof each === 'bigint' ? each.toString() : each),
              2,
            );
          if (id === undefined) {
            const { incidents } = await orchestrator.listIncidents(50);
            const rows = incidents.map((incident) => [
              incident.id,
              incident.status,
              incident.openedAt.toISOString(),
              incident.title,
            ]);
            terminal.print(
              json ? asJson(incidents) : incidents.length === 0 ? 'no incident' : table(rows),
            );
          } else if (id.includes('.')) {
            const plan = await orchestrator.getPlan(id);
            terminal.print(json ? asJson(plan) : planText(plan));
          } else {
            const detail = await orchestrator.getIncident(id);
            if (json) terminal.print(asJson(detail));
            else {
              if (detail.answer)
                terminal.print(
                  answerText(detail.answer, { incident: id, all, isColoured: terminal.isColoured }),
                );
              for (const plan of detail.plans)
                terminal.print(
                  `\n${planText(plan)}\nstate    ${plan.state}${plan.result === undefined ? '' : `: ${plan.result}`}`,
                );
            }
          }
        });
      },
    );
}
