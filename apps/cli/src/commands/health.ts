import { Command } from 'commander';
import { durationText } from '@starr/kernel';
import type { HealthView } from '@starr/wire';
import { withOrchestrator, type CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { table } from '../render/table.ts';

export function healthCommand(context: CommandContext): Command {
  return new Command('health')
    .description(
      'every service and every target: one answer, one exit code (0 all seen, 2 not all)',
    )
    .option('--json', 'the answer as JSON')
    .action(async ({ json = false }: { json?: boolean }) => {
      const health = await withOrchestrator(context, (orchestrator) => orchestrator.checkHealth());
      context.terminal.print(json ? JSON.stringify(health, null, 2) : healthText(health));
      context.endWith(isWhole(health) ? EXIT.seen : EXIT.blind);
    });
}

function isWhole({ services, targets }: HealthView): boolean {
  return (
    services.every(({ isServing }) => isServing) &&
    targets.every(({ isSeen, blindChecks }) => isSeen && blindChecks === 0)
  );
}

export function healthText({ services, targets }: HealthView): string {
  const serviceRows = services.map((service) => [
    service.isServing ? 'ok' : 'AWAY',
    service.name,
    service.address ?? 'inside the orchestrator',
    service.isServing && service.tookMs !== undefined ? durationText(service.tookMs) : service.says,
  ]);
  const targetRows = targets.map((target) => [
    target.isSeen ? (target.blindChecks === 0 ? 'ok' : 'part') : 'BLIND',
    target.name,
    target.kind,
    `${target.checks - target.blindChecks} of ${target.checks} checks see`,
    target.acts ? 'can act' : 'looks only',
    [target.says, target.cure === undefined ? '' : `cure: ${target.cure}`]
      .filter((text) => text !== '')
      .join('  '),
  ]);
  return [`SERVICES`, table(serviceRows), '', 'TARGETS', table(targetRows)].join('\n');
}
