import { Command } from 'commander';
import { DoctorError, parseDurationMs } from '@starr/kernel';
import { withOrchestrator, type CommandContext } from '../command-context.ts';

interface AcceptOptions {
  readonly target: string;
  readonly until?: string;
  readonly reason?: string;
  readonly revoke?: boolean;
}

export function acceptCommand(context: CommandContext): Command {
  return new Command('accept')
    .description('silence a known state, visibly and for a while')
    .argument('<id>', 'the diagnostic, such as db.idle-sessions')
    .requiredOption('--target <name>', 'on which target')
    .option('--until <when>', 'a moment (2026-12-01T08:00:00Z) or a span from now (8h, 3d)')
    .option('--reason <text>', 'why; shown in every answer')
    .option('--revoke', 'take the acceptance back')
    .action(async (id: string, options: AcceptOptions) => {
      await withOrchestrator(context, async (orchestrator) => {
        if (options.revoke === true) {
          const wasInForce = await orchestrator.revokeState(id, options.target);
          context.terminal.print(
            wasInForce
              ? `${id} on ${options.target} counts again`
              : `${id} on ${options.target} was not accepted`,
          );
          return;
        }
        const until = parseUntil(options.until, new Date());
        const reason = options.reason ?? '';
        if (reason === '')
          throw missing('--reason', 'a text: why this state is known and harmless');
        await orchestrator.acceptState({ diagnostic: id, target: options.target, until, reason });
        context.terminal.print(
          `${id} on ${options.target} is accepted until ${until.toISOString()}: ${reason}`,
        );
      });
    });
}

export function parseUntil(text: string | undefined, now: Date): Date {
  const allowed = 'a moment such as 2026-12-01T08:00:00Z, or a span such as 8h or 3d';
  if (text === undefined) throw missing('--until', allowed);
  const spanMs = parseDurationMs(text);
  const until = spanMs === undefined ? new Date(text) : new Date(now.getTime() + spanMs);
  if (Number.isNaN(until.getTime()) || until <= now) {
    throw new DoctorError('WIRE_INVALID', {
      message: `--until is ${JSON.stringify(text)}; allowed: ${allowed}, in the future`,
      details: { field: '--until', received: text, allowed },
    });
  }
  return until;
}

function missing(option: string, allowed: string): DoctorError {
  return new DoctorError('WIRE_INVALID', {
    message: `${option} is missing; allowed: ${allowed}`,
    details: { field: option, allowed },
  });
}
